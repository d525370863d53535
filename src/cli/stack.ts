import { Command } from 'commander';
import { buildDb, doctor, stackDown, stackStatus, stackUp } from '../../stack/commands.js';
import { answer, tell } from './terminal.js';

const lines = { print: answer, say: tell };

/** The local stack by itself: MongoDB, Kafka and MQTT. */
export function stackCommand(): Command {
  const stack = new Command('stack').description('MongoDB, Kafka and MQTT on this machine');
  stack
    .command('up')
    .description('starts what is not given by MONGODB_URI, KAFKA_BROKERS, MQTT_URL, and leaves it running')
    .option('--data <dir>', 'where the data lie')
    .action(async ({ data }: { data?: string }) => {
      await stackUp({ ...lines, ...(data === undefined ? {} : { dataDir: data }) });
    });
  stack
    .command('down')
    .description('ends what `up` left running')
    .action(() => stackDown(lines));
  stack
    .command('status')
    .description('what runs, and whether it answers')
    .action(async () => {
      if (!(await stackStatus(lines))) process.exitCode = 1;
    });
  stack
    .command('build-db')
    .description('builds the faster database server into the cache')
    .action(() => buildDb(lines));
  return stack;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('what would be used for each part, its version and why, and what is missing')
    .action(() => {
      if (!doctor(lines)) process.exitCode = 1;
    });
}
