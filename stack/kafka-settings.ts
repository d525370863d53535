import { join } from 'node:path';
import type { Place } from './part.js';

const FOUR_MEGABYTES = 4 * 1024 * 1024;

/** One node that is broker and controller. Topics may raise `max.message.bytes` up to 4 MB. */
export function kafkaSettings({ dataDir, port, extraPort }: Place): string {
  return properties({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${extraPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${extraPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(dataDir, 'log'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    // A broker that was killed may register again only when its former session has run out: 9 s by default.
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 1000,
    'replica.fetch.max.bytes': FOUR_MEGABYTES,
    'log.cleaner.dedupe.buffer.size': 2 * FOUR_MEGABYTES,
    'num.network.threads': 2,
    'num.io.threads': 2,
  });
}

/** Only what needs a person's attention: the last lines of this log are shown when Kafka dies. */
export function kafkaLoggingSettings(): string {
  return properties({
    status: 'error',
    'appender.out.type': 'Console',
    'appender.out.name': 'out',
    'appender.out.layout.type': 'PatternLayout',
    'appender.out.layout.pattern': '[%d] %p %m (%c)%n',
    'rootLogger.level': 'warn',
    'rootLogger.appenderRef.out.ref': 'out',
  });
}

function properties(values: Record<string, string | number | boolean>): string {
  const lines = Object.entries(values).map(([key, value]) => `${key}=${String(value)}`);
  return `${lines.join('\n')}\n`;
}
