import type { LoggerService } from '@nestjs/common';
import { destination, pino } from 'pino';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** One line of JSON a call on standard error; standard output belongs to what a command answers. */
export type Log = (level: LogLevel, message: string, details?: Readonly<Record<string, unknown>>) => void;

export function createLog(level: LogLevel): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination(2));
  return (lineLevel, message, details) => logger[lineLevel](details ?? {}, message);
}

/** Nest's own lines: what it does at every start is for debugging. */
export function nestLogger(log: Log): LoggerService {
  const line = (level: LogLevel) => (message: unknown, context?: unknown) =>
    log(level, String(message), context === undefined ? {} : { context });
  return {
    log: line('debug'),
    verbose: line('debug'),
    debug: line('debug'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('error'),
  };
}
