import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askedBy, JointAnswer, SameTime } from './joint-answer.js';
import { NoTurn, Turns } from './turns.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Works that end when they are told to; `begun` says in which order they began. */
function works() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name);
      ends.set(name, () => resolve(name));
    });
  return { begun, work, end: (name: string) => ends.get(name)?.() };
}
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const outcome = (answer: Promise<unknown>) => answer.catch((fault: unknown) => fault);

describe('turns', () => {
  it('are taken by so many at a time, in the order in which they came, whether works fail or not', async () => {
    const [turns, { begun, work, end }] = [new Turns(2), works()];
    const failed = outcome(turns.take(() => work('a')().then(() => Promise.reject(new Error('a fails')))));
    const others = ['b', 'c', 'd'].map((name) => turns.take(work(name)));
    await pass(1e6);
    expect(begun).toEqual(['a', 'b']);
    end('a');
    expect(await failed).toMatchObject({ message: 'a fails' });
    await pass();
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const name of ['b', 'c', 'd']) {
      end(name);
      await pass();
    }
    expect(await Promise.all(others)).toEqual(['b', 'c', 'd']);
    void turns.take(work('e'));
    await pass();
    expect(begun.at(-1)).toBe('e');
  });

  it('are not waited for longer than said, nor by more than said', async () => {
    const [turns, { begun, work, end }] = [new Turns(1, { time: 1_000, works: 2 }), works()];
    const first = turns.take(work('a'));
    await pass();
    const late = outcome(turns.take(work('b')));
    await pass(500);
    const next = turns.take(work('c'));
    expect(await outcome(turns.take(work('d')))).toBeInstanceOf(NoTurn);
    await pass(500);
    expect(await late).toBeInstanceOf(NoTurn);
    end('a');
    await pass();
    end('c');
    expect(await Promise.all([first, next])).toEqual(['a', 'c']);
    expect(begun).toEqual(['a', 'c']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('go round the clients that wait, however much one of them asks', async () => {
    const [turns, { begun, work, end }, { signal }] = [
      new Turns(1, { time: 1e6, works: 2 }),
      works(),
      new AbortController(),
    ];
    const ask = (client: string, name: string) => askedBy(signal, client, () => outcome(turns.take(work(name))));
    const answers = [turns.take(work('first'))];
    await pass();
    for (const [client, name] of ['a1', 'a2', 'b1', 'c1', 'c2'].map((one) => [one.charAt(0), one] as const))
      answers.push(ask(client, name) as Promise<string>);
    expect(await ask('a', 'a3')).toBeInstanceOf(NoTurn);
    expect(turns.queue).toBe(5);
    for (const name of ['first', 'a1', 'b1', 'c1', 'a2', 'c2']) {
      end(name);
      await pass();
    }
    expect(begun).toEqual(['first', 'a1', 'b1', 'c1', 'a2', 'c2']);
    await Promise.all(answers);
    expect(turns.queue).toBe(0);
  });

  it('are not waited for once who asked has gone', async () => {
    const [turns, { begun, work, end }, visit] = [new Turns(1), works(), new AbortController()];
    const first = turns.take(work('a'));
    const waiting = askedBy(visit.signal, 'x', () => outcome(turns.take(work('b'))));
    const last = turns.take(work('c'));
    await pass();
    visit.abort();
    expect(await waiting).toBeInstanceOf(NoTurn);
    expect(await askedBy(visit.signal, 'x', () => outcome(turns.take(work('d'))))).toBeInstanceOf(NoTurn);
    end('a');
    await pass();
    end('c');
    expect(await Promise.all([first, last])).toEqual(['a', 'c']);
    expect(begun).toEqual(['a', 'c']);
  });
});

describe('an answer for several', () => {
  const held = async () => {
    const [turns, { begun, work, end }] = [new Turns(1), works()];
    void turns.take(work('held'));
    await pass();
    return {
      begun,
      work: () => turns.take(work('answer')),
      end,
      visits: [new AbortController(), new AbortController()],
    };
  };

  it('is given up when all who asked have gone', async () => {
    const { begun, work, end, visits } = await held();
    const sameTime = new SameTime();
    const answers = visits.map(({ signal }) => askedBy(signal, 'x', () => outcome(sameTime.get('a', work))));
    for (const visit of visits) visit.abort();
    expect(await Promise.all(answers)).toEqual([expect.any(NoTurn), expect.any(NoTurn)]);
    end('held');
    await pass();
    expect(begun).toEqual(['held']);
    const again = sameTime.get('a', work);
    await pass();
    end('answer');
    expect(await again).toBe('answer');
  });

  it.each([
    ['somebody stays', true],
    ['somebody cannot be seen to go', false],
  ])('is not given up while %s', async (_who, seen) => {
    const { work, end, visits } = await held();
    const [one, other] = visits as [AbortController, AbortController];
    const answer = askedBy(one.signal, 'x', () => new JointAnswer(work));
    const joined = seen ? askedBy(other.signal, 'x', () => answer.join()) : answer.join();
    one.abort();
    end('held');
    await pass();
    end('answer');
    expect(await joined).toBe('answer');
  });

  it('is forgotten by who asked once it is there', async () => {
    const visit = new AbortController();
    const answer = askedBy(visit.signal, 'x', () => new JointAnswer(async () => 'answer'));
    expect(getEventListeners(visit.signal, 'abort')).toHaveLength(1);
    await askedBy(visit.signal, 'x', () => answer.join());
    await pass();
    expect(getEventListeners(visit.signal, 'abort')).toHaveLength(0);
  });

  it('holds one work for all who ask at the same time', async () => {
    const [sameTime, { begun, work, end }] = [new SameTime(), works()];
    const answers = [sameTime.get('a', work('a')), sameTime.get('a', work('a')), sameTime.get('b', work('b'))];
    end('a');
    end('b');
    expect(await Promise.all(answers)).toEqual(['a', 'a', 'b']);
    expect(begun).toEqual(['a', 'b']);
  });
});
