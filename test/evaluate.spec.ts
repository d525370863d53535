import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { simulateFleet, type CarMessage } from '../src/simulator/fleet.js';
import { encodeMessage } from '../src/simulator/wire.js';

const MAIN = join(import.meta.dirname, '..', 'dist', 'src', 'cli', 'main.js');
const dir = mkdtempSync(join(tmpdir(), 'fleet-twin-evaluate-'));
afterAll(() => rmSync(dir, { recursive: true }));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'evaluate', ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

function lines(messages: Iterable<CarMessage>, labelled: boolean): string {
  return [...messages]
    .map((message) => {
      const body = JSON.parse(encodeMessage(message).toString()) as Record<string, unknown>;
      if (!labelled) delete body['failure_occurred'];
      return JSON.stringify({ ...body, car: message.car, timestamp: message.at });
    })
    .join('\n');
}

interface Row {
  readonly healthy: readonly { readonly readings: number }[];
  readonly faults: readonly {
    readonly failed: number;
    readonly rocAuc: number;
    readonly recallAt01Percent: number;
    readonly flagged: number;
  }[];
}

function cell({ faults: [one] }: Row): string {
  return [one?.rocAuc, one?.recallAt01Percent, one?.flagged].map((figure) => figure?.toFixed(4)).join(' / ');
}

const fleet = () =>
  simulateFleet({ cars: 40, seed: 99, start: Date.UTC(2026, 5, 1), stepSeconds: 10, messages: 2_400, faults: 0.4 });

describe('fleet-twin evaluate', () => {
  it('scores every reading of a file in its order, and tells failed from normal ones', async () => {
    const [input, scores] = [join(dir, 'labelled.jsonl'), join(dir, 'scores.csv')];
    writeFileSync(input, lines(fleet(), true));
    const { code, stdout } = await run('--input', input, '--scores', scores, '--json', '-');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as { faults: { failed: number; rocAuc: number; flagged: number }[] };
    const failed = [...fleet()].filter(({ label }) => label === true).length;
    expect(report.faults[0]).toMatchObject({ failed });
    expect(report.faults[0]?.rocAuc).toBeGreaterThan(0.999);
    const [header, ...rows] = readFileSync(scores, 'utf8').trim().split('\n');
    expect(header).toBe('car,time,score,anomalous,episode');
    expect(rows.map((row) => row.split(',').slice(0, 2))).toEqual(
      [...fleet()].map(({ car, at }) => [car, new Date(at).toISOString()]),
    );
    const anomalous = rows.filter((row) => row.split(',')[3] === 'true').length;
    expect(anomalous / failed).toBeGreaterThan(0.99);
    expect(rows.filter((row) => row.split(',')[4] !== '').length).toBeGreaterThan(failed / 2);
  });

  it('puts other models beside it, on the same readings', async () => {
    const input = join(dir, 'beside.jsonl');
    writeFileSync(input, lines(fleet(), true));
    const beside = ['--input', input, '--against', 'champion,rules,models/default'];
    const [json, page] = [join(dir, 'beside.json'), join(dir, 'beside.html')];
    const { code, stdout: table } = await run(...beside, '--json', json, '--report', page);
    const report = JSON.parse(readFileSync(json, 'utf8')) as Row & { against: (Row & { name: string })[] };
    expect([code, report.against.map(({ name }) => name)]).toEqual([0, ['rules']]);
    const [rules] = report.against;
    expect(rules?.faults[0]?.failed).toBe(report.faults[0]?.failed);
    expect(rules?.healthy[0]?.readings).toBe(report.healthy[0]?.readings);
    expect(rules?.faults[0]?.rocAuc).toBeGreaterThan(0.999);
    expect(table).toContain(`| labelled as failed |          | ${cell(report)} | ${cell(rules as Row)} |`);
    expect(readFileSync(page, 'utf8')).toContain(cell(report));
    const nowhere = await run('--input', input, '--report', join(dir, 'none', 'x.html'));
    expect([nowhere.code, nowhere.stderr.trim().split('\n').length]).toEqual([1, 1]);
    const wrong = await run('--input', input, '--against', 'nobody');
    expect([wrong.code, wrong.stdout]).toEqual([1, '']);
    expect(wrong.stderr).toContain('no usable model in models/nobody');
  });

  it('scores unlabelled readings without figures of failures', async () => {
    const [input, scores] = [join(dir, 'plain.jsonl'), join(dir, 'plain.csv')];
    writeFileSync(input, lines(fleet(), false));
    const { code, stdout } = await run('--input', input, '--scores', scores, '--json', '-');
    expect([code, (JSON.parse(stdout) as { faults: unknown[] }).faults]).toEqual([0, []]);
    expect(readFileSync(scores, 'utf8').trim().split('\n')).toHaveLength(2_401);
  });

  it.each([
    ['{"car":"a","timestamp":1,"speed":"fast"}', /bad\.jsonl: line 2, column speed: "fast": "speed" is a string/],
    ['nonsense', /bad\.jsonl: line 2: "nonsense" is not JSON/],
    ['{"timestamp":1,"speed":1}', /line 2, column car: .* is no car id/],
    ['{"car":"a","speed":1}', /line 2: neither the message nor its record has a time/],
  ])('ends with one message at a bad line, and writes nothing: %s', async (bad, message) => {
    const [input, scores] = [join(dir, 'bad.jsonl'), join(dir, 'bad.csv')];
    writeFileSync(input, `{"car":"a","timestamp":1767225600000,"speed":1}\n${bad}\n`);
    const { code, stdout, stderr } = await run('--input', input, '--scores', scores);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(readdirSync(dir).filter((name) => name.startsWith('bad.csv'))).toEqual([]);
  });

  it('says what is wrong with a file of failed readings alone, an empty one, and one that is not there', async () => {
    const failed = [...fleet()].filter(({ label }) => label === true);
    for (const [name, text, message] of [
      ['failed.jsonl', lines(failed, true), /all scored readings are failed/],
      ['empty.jsonl', '', /holds no readings/],
    ] as const) {
      writeFileSync(join(dir, name), text);
      const { code, stderr } = await run('--input', join(dir, name));
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
    }
    const { code, stderr } = await run('--input', join(dir, 'none.csv'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/ENOENT.*none\.csv/);
  });
});
