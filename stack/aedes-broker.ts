import { createServer } from 'node:net';
import { Aedes } from 'aedes';

/** A broker in a process of its own, so that it can be stopped and killed as mosquitto can. */
const port = Number(process.argv[2]);
const broker = await Aedes.createBroker();
const server = createServer((socket) => void broker.handle(socket));
server.listen(port, '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
