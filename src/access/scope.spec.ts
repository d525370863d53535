import { describe, expect, it } from 'vitest';
import { seesFleet, withinScope } from './scope.js';

describe('a scope', () => {
  it('of all cars narrows nothing', () => {
    expect(withinScope('fleet', { fleets: null })).toEqual({});
    expect([seesFleet({ fleets: null }, 'north'), seesFleet({ fleets: null }, undefined)]).toEqual([true, true]);
  });

  it('of some fleets leaves those, and no car without a fleet', () => {
    const scope = { fleets: ['north', 'south'] };
    expect(withinScope('attributes.fleet', scope)).toEqual({ 'attributes.fleet': { $in: ['north', 'south'] } });
    expect(['north', 'west', undefined].map((fleet) => seesFleet(scope, fleet))).toEqual([true, false, false]);
  });

  it('of no fleet leaves nothing', () => {
    expect(withinScope('fleet', { fleets: [] })).toEqual({ fleet: { $in: [] } });
    expect(seesFleet({ fleets: [] }, 'north')).toBe(false);
  });
});
