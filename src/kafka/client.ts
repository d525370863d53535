import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel, type LogEntry, type logCreator, type RetryOptions } from 'kafkajs';
import type { Log, LogLevel } from '../log/log.js';

export type { Log, LogLevel };

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface KafkaOptions {
  /** host:port of the bootstrap brokers. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly log: Log;
  /** After this silence a request has failed, ms; 30,000 when not given. */
  readonly requestTimeout?: number;
  /** Where the broker at an advertised address is really reached (a tunnel, a proxy); the address itself when not given. */
  readonly route?: (advertised: Address) => Address;
}

/** A kafkajs client, and the end of every connection that it ever opened. */
export interface KafkaClient {
  readonly kafka: Kafka;
  /** Resets all connections for good: what Kafka has not read by then is never written. There are no new ones. */
  reset(): void;
}

/**
 * What kafkajs tries again by itself before it gives up: three times within a second. Whoever must not give up
 * (producer, topics) goes on with `backoff`.
 */
export const RETRY: RetryOptions = {
  initialRetryTime: 100,
  factor: 0.2,
  multiplier: 2,
  maxRetryTime: 1_000,
  retries: 3,
};

const FIRST_DELAY = 100;
const LONGEST_DELAY = 5_000;

/** Delay before try number `attempt` + 1 (from 0), ms: doubling up to 5 s, the upper half of it at random. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
  return ceiling / 2 + (random() * ceiling) / 2;
}

/**
 * Tries until it works.
 * @param waiting told of every failure, with the number of failures before it
 * @throws what the signal was aborted with
 */
export async function untilItWorks<T>(
  attempt: () => Promise<T>,
  waiting: (error: unknown, failures: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      waiting(error, failures);
    }
    await sleep(backoff(failures), signal);
  }
}

/** @throws what the signal was aborted with, not Node's AbortError around it */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** The one place that makes a kafkajs client. */
export function kafkaClient(options: KafkaOptions): KafkaClient {
  const sockets = new Set<Socket>();
  let over = false;
  const kafka = new Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    requestTimeout: options.requestTimeout ?? 30_000,
    connectionTimeout: 5_000,
    retry: RETRY,
    logLevel: logLevel.WARN,
    logCreator: quietly(options.log),
    socketFactory: ({ host, port, onConnect }) => {
      // kafkajs may still be trying: the error makes it stop.
      if (over) throw new Error('The client was reset');
      const socket = connect(options.route?.({ host, port }) ?? { host, port }, onConnect);
      sockets.add(socket.setKeepAlive(true, 60_000).setNoDelay(true));
      return socket.once('close', () => sockets.delete(socket));
    },
  });
  const reset = () => {
    over = true;
    resetAll(sockets);
  };
  return { kafka, reset };
}

/** kafkajs reports every single try as an error; its callers here report what changes, so its lines are for debugging. */
function quietly(log: Log): logCreator {
  return () => (entry: LogEntry) => {
    const { message, timestamp: _timestamp, logger: _logger, ...details } = entry.log;
    log('debug', `kafkajs ${entry.namespace}: ${message}`, details);
  };
}

/** A reset (not an orderly end) also throws away what lies unread in the buffers between here and Kafka. */
function resetAll(sockets: Set<Socket>): void {
  for (const socket of sockets) {
    if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
    // kafkajs does not listen to `close`, and would wait for its request timeout.
    socket.emit('error', new Error('The connection was reset'));
  }
  sockets.clear();
}
