import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { choosePort, listensOn } from './free-port.js';

describe('ports', () => {
  let server: Server;
  let taken: number;

  beforeEach(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    taken = (server.address() as AddressInfo).port;
  });
  afterEach(() => server.close());

  it('takes another port when the wanted one is taken', async () => {
    const port = await choosePort(taken);
    expect(port).not.toBe(taken);
    expect(await choosePort(port)).toBe(port);
  });

  it('knows which process listens', () => {
    expect(listensOn(process.pid, taken)).toBe(true);
    if (process.platform === 'linux') expect(listensOn(process.ppid, taken)).toBe(false);
  });
});
