import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command-run.js';
import { withTicks, type Progress } from './progress.js';
import {
  KAFKA_LOGGING_VERSION,
  KAFKA_SCALA_VERSION,
  KAFKA_VERSION,
  MAVEN_DEPENDENCY_PLUGIN_VERSION,
} from './versions.js';

const DOWNLOADED = /^Downloaded from .* \(([\d.]+) (B|kB|MB) at /;
const BYTES = { B: 1, kB: 1e3, MB: 1e6 } as const;

/** Maven brings Kafka's jars and what they need, and checks their checksums. */
export async function installKafka(folder: string, progress: Progress): Promise<void> {
  const pom = join(folder, 'pom.xml');
  writeFileSync(pom, pomXml());
  const goal = `org.apache.maven.plugins:maven-dependency-plugin:${MAVEN_DEPENDENCY_PLUGIN_VERSION}:copy-dependencies`;
  const args = ['-B', '-f', pom, goal, `-DoutputDirectory=${join(folder, 'libs')}`, '-DincludeScope=runtime'];
  let bytes = 0;
  const onLine = (line: string): void => void (bytes += bytesOf(line));
  const describe = (seconds: number): string =>
    `Kafka ${KAFKA_VERSION}: fetching, ${(bytes / 1e6).toFixed(0)} MB, ${seconds} s`;
  await withTicks(progress, describe, () => runCommand('mvn', args, { onLine }));
  rmSync(join(folder, 'target'), { recursive: true, force: true });
}

export function bytesOf(line: string): number {
  const [, amount, unit] = DOWNLOADED.exec(line.replace(/^\[INFO\] /, '')) ?? [];
  return amount === undefined ? 0 : Number(amount) * BYTES[unit as keyof typeof BYTES];
}

function pomXml(): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>fleet-twin</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    ${dependency('org.apache.kafka', `kafka_${KAFKA_SCALA_VERSION}`, KAFKA_VERSION)}
    ${dependency('org.apache.kafka', 'kafka-tools', KAFKA_VERSION)}
    ${dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', KAFKA_LOGGING_VERSION)}
  </dependencies>
</project>
`;
}

function dependency(group: string, artifact: string, version: string): string {
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
}
