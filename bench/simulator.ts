import { disordered, ORDER, type Disorder } from '../src/simulator/disorder.js';
import { simulateFleet } from '../src/simulator/fleet.js';
import { produceAll, publishAll, type Published } from '../src/simulator/publish.js';

/**
 * How exactly simulated cars keep their rate, and what that takes: processor seconds of this process a second of the clock,
 * and its memory. To a real broker, one line of JSON a run.
 *
 *     node dist/bench/simulator.js [cars] [seconds] [rates]      MQTT_URL, KAFKA_BROKERS
 *     node dist/bench/simulator.js 100000 30 100,1000,10000
 */
const [cars = 100_000, seconds = 30] = process.argv.slice(2, 4).map(Number);
const rates = (process.argv[4] ?? '100,1000,10000').split(',').map(Number);
const url = process.env['MQTT_URL'] ?? 'mqtt://127.0.0.1:1883';
const brokers = (process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092').split(',');
const id = `bench-simulator-${process.pid}`;
const BAD_NETWORK: Disorder = { dup: 0.01, shuffle: 30, late: 0.01, skew: 0.01 };

type Send = (source: ReturnType<typeof messages>, rate: number) => Promise<Published>;

const mqtt: Send = (source, rate) => publishAll(source, { url, connections: 4, clientIdPrefix: id, rate });
const kafka: Send = (source, rate) => produceAll(source, { brokers, topic: id, clientId: id, rate });

for (const rate of rates) {
  await measure('mqtt', mqtt, rate, ORDER);
  await measure('kafka', kafka, rate, ORDER);
}
await measure('mqtt, disorder', mqtt, Math.max(...rates), BAD_NETWORK);

async function measure(to: string, send: Send, rate: number, disorder: Disorder): Promise<void> {
  let memory = 0;
  const watching = setInterval(() => (memory = Math.max(memory, process.memoryUsage.rss())), 100);
  const cpu = process.cpuUsage();
  const { published, seconds: took } = await send(messages(rate, disorder), rate);
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(watching);
  const perSecond = published / took;
  console.log(
    JSON.stringify({
      to,
      cars,
      rate,
      published,
      seconds: Number(took.toFixed(3)),
      perSecond: Number(perSecond.toFixed(2)),
      offPercent: Number((100 * (perSecond / rate - 1)).toFixed(3)),
      cpuSeconds: Number(((user + system) / 1e6).toFixed(2)),
      cores: Number(((user + system) / 1e6 / took).toFixed(3)),
      memoryMiB: memory >> 20,
    }),
  );
}

function messages(rate: number, disorder: Disorder) {
  const sent = Math.round((rate * seconds) / (1 + disorder.dup));
  const fleet = { cars, seed: 1, start: Date.now(), stepSeconds: cars / rate, messages: sent };
  return disordered(simulateFleet(fleet), disorder, 1);
}
