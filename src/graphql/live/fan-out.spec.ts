import { describe, expect, it } from 'vitest';
import { FanOut, type Interest } from './fan-out.js';

type Item = readonly [car: string, size: number];

function above(least: number, cars: readonly string[] | null = null): Interest<Item> & { looks: number } {
  const interest = {
    name: `${least} ${cars?.join() ?? '*'}`,
    cars,
    looks: 0,
    matches: ([, size]: Item) => {
      interest.looks += 1;
      return size > least;
    },
  };
  return interest;
}

function told(fanOut: FanOut<Item, string>, item: Item): { wanted: string[]; others: string[] } {
  const wanted: string[] = [];
  const others: string[] = [];
  fanOut.tell(
    item[0],
    item,
    (reader) => wanted.push(reader),
    (reader) => others.push(reader),
  );
  return { wanted, others };
}

describe('FanOut', () => {
  it('looks once per filter, and not at filters of other cars', () => {
    const fanOut = new FanOut<Item, string>();
    const [any, mine, theirs] = [above(1), above(1, ['a', 'b']), above(1, ['c'])];
    fanOut.add('1', any);
    fanOut.add('2', { ...any });
    fanOut.add('3', mine);
    fanOut.add('4', theirs);
    expect(told(fanOut, ['b', 2])).toEqual({ wanted: ['1', '2', '3'], others: [] });
    expect(told(fanOut, ['b', 1])).toEqual({ wanted: [], others: ['1', '2', '3'] });
    expect([any.looks, mine.looks, theirs.looks]).toEqual([2, 2, 0]);
  });

  it('forgets who went, and the filters that nobody has any more', () => {
    const fanOut = new FanOut<Item, string>();
    const interest = above(0, ['a', 'a']);
    fanOut.add('1', interest);
    fanOut.add('2', interest);
    fanOut.remove('1');
    fanOut.remove('1');
    expect(told(fanOut, ['a', 1]).wanted).toEqual(['2']);
    fanOut.remove('2');
    expect(told(fanOut, ['a', 1]).wanted).toEqual([]);
    expect(fanOut.all).toEqual([]);
    fanOut.add('1', interest);
    expect(told(fanOut, ['a', 1]).wanted).toEqual(['1']);
  });
});
