import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Keeps the connections and carries nothing any more, in neither direction. */
  stall(): void;
  /** Resets all connections, and every new one, until `resume`. */
  cut(): void;
  resume(): void;
  close(): Promise<void>;
}

/**
 * Stands between a client and a server on 127.0.0.1, and can stop carrying. An end is carried like everything else: a client
 * that ended sees its connection closed when the server has closed it, having read all that came before.
 */
export async function startProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  let state: 'open' | 'stalled' | 'cut' = 'open';
  const sockets = new Set<Socket>();

  const tunnel = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (bytes) => {
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => state === 'open' && from.resume());
    from.on('error', () => to.destroy());
    from.on('end', () => to.end());
    from.on('close', () => {
      sockets.delete(from);
      // After an orderly end the other side was ended, too: destroying it would take back what is still on its way.
      if (!from.readableEnded) to.destroy();
    });
    if (state === 'stalled') from.pause();
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (state === 'cut') {
      near.resetAndDestroy();
    } else {
      const far = connect({ ...target, allowHalfOpen: true });
      tunnel(near, far);
      tunnel(far, near);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as AddressInfo).port,
    stall: () => {
      state = 'stalled';
      for (const socket of sockets) socket.pause();
    },
    cut: () => {
      state = 'cut';
      for (const socket of sockets) socket.destroy();
    },
    resume: () => {
      state = 'open';
      for (const socket of sockets) socket.resume();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
