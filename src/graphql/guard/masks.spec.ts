import { parse } from 'graphql/index.js';
import { describe, expect, it } from 'vitest';
import { maskedFields, refuseMasked } from './masks.js';

const MASKED = maskedFields('viewer:Signals.speed,viewer:CarAttributes.plate').viewer ?? new Set<string>();
const refused = (text: string, fields: readonly string[], variables: Record<string, unknown> | null = {}) => {
  try {
    refuseMasked(MASKED, 'viewer', new Set(fields), parse(text), variables);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('masks', () => {
  it('hide a field with everything that shows the same', () => {
    expect([...MASKED].sort()).toEqual([
      'CarAttributes.plate',
      'CarAttributes.values',
      'CarDiff.signals',
      'SignalRollups.speed',
      'Signals.speed',
    ]);
    expect(refused('{ car { rollups { signals { speed { max } } } } }', ['SignalRollups.speed'])).toContain('speed');
  });

  it('do not let a masked signal be named in figures, filters or variables', () => {
    expect(refused('{ car { aggregate(signals: [coolantTemp]) { step } } }', [])).toBeNull();
    expect(refused('{ car { aggregate(signals: [speed]) { step } } }', [])).toContain('Signals.speed');
    expect(refused('{ cars(filter: { signals: [{ signal: speed, min: 9 }] }) { totalCount } }', [])).not.toBeNull();
    expect(
      refused('query ($f: CarFilterInput) { cars(filter: $f) { totalCount } }', [], {
        f: { signals: [{ signal: 'speed' }] },
      }),
    ).not.toBeNull();
  });

  it('take no filter of a subscription that cannot be looked into', () => {
    expect(refused('subscription ($a: String) { carUpdates(after: $a) { x } }', [], null)).toBeNull();
    expect(
      refused('subscription ($f: CarUpdateFilterInput) { carUpdates(filter: $f) { x } }', [], null),
    ).not.toBeNull();
  });
});
