import { describe, expect, it } from 'vitest';
import type { BatchWrite } from '../twin/commit-batch.js';
import { ScoringAlarm } from './scoring-alarm.js';

const batch = (scored: number, unscored: number) => {
  const readings = [
    ...Array.from({ length: scored }, () => ({})),
    ...Array.from({ length: unscored }, () => ({ unscored: 'the model gave no answer' })),
  ];
  return { readings } as unknown as BatchWrite;
};

function watched() {
  const lines: string[] = [];
  let now = 0;
  const alarm = new ScoringAlarm(
    (level, line) => lines.push(`${level}: ${line}`),
    () => now,
  );
  return { alarm, lines, wait: (seconds: number) => (now += seconds * 1_000) };
}

describe('ScoringAlarm', () => {
  it('is up from the first readings that have no score until a minute after the last of them', () => {
    const { alarm, lines, wait } = watched();
    alarm.applied(batch(100, 0));
    expect(alarm.check()).toBe('ok');
    alarm.applied(batch(0, 3));
    expect(alarm.check()).toBe("3 of the last minute's 103 readings have no score: the model gave no answer");
    wait(30);
    alarm.applied(batch(100, 0));
    expect(alarm.check()).toMatch(/^3 of the last minute's 203 readings/);
    wait(30);
    expect(alarm.check()).toBe('ok');
    expect(lines).toEqual(['error: readings go unscored', 'info: readings are scored again']);
  });

  it('stays calm where hardly one reading in a thousand has nothing that can be judged', () => {
    const { alarm, lines, wait } = watched();
    for (let second = 0; second < 120; second++) {
      alarm.applied(batch(2_000, 1));
      wait(1);
    }
    expect([alarm.check(), lines]).toEqual(['ok', []]);
  });

  it('holds no more than a minute, whatever the rate', () => {
    const { alarm, wait } = watched();
    for (let second = 0; second < 200; second++) {
      alarm.applied(batch(0, 1));
      wait(1);
    }
    expect(alarm.check()).toMatch(/^5\d of the last minute's 5\d readings/);
  });
});
