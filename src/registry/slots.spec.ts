import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODEL_ACTIONS, type ModelSlots } from '../twin/model-documents.js';
import { RegistryError } from './registry-error.js';
import { announcements } from './announce.js';
import { UNTOUCHED, slotsAfter, type Wish } from './slots.js';

const NONE = new Set<string>();
const wish = (action: Wish['action'], model = ''): Wish => ({ action, model, by: 'ann', now: new Date(0) });
const after = (slots: ModelSlots, ...wishes: readonly Wish[]) =>
  wishes.reduce((before, one) => slotsAfter(before, one, NONE), slots);

describe('slotsAfter', () => {
  it('activates, and rolls back through every earlier model to that of the settings', () => {
    const third = after(UNTOUCHED, wish('ACTIVATE', 'a@1'), wish('ACTIVATE', 'a@2'), wish('ACTIVATE', 'b@1'));
    expect(third).toMatchObject({ revision: 3, champion: 'b@1' });
    const back = after(third, wish('ROLLBACK'));
    expect(back).toMatchObject({ revision: 4, champion: 'a@2' });
    const further = after(back, wish('ROLLBACK'), wish('ROLLBACK'));
    expect(further.champion).toBeNull();
    expect(() => after(further, wish('ROLLBACK'))).toThrow('there is no earlier model');
    expect(further.changes.map(({ model }) => model)).toEqual(['a@1', 'a@2', 'b@1', 'a@2', 'a@1', null]);
  });

  it('a rollback leaves out what is retired', () => {
    const third = after(UNTOUCHED, wish('ACTIVATE', 'a@1'), wish('ACTIVATE', 'a@2'), wish('ACTIVATE', 'b@1'));
    expect(slotsAfter(third, wish('ROLLBACK'), new Set(['a@2'])).champion).toBe('a@1');
  });

  it('a model that is activated leaves the shadow, and the same wish again changes nothing', () => {
    const shadowed = after(UNTOUCHED, wish('SHADOW', 'a@1'));
    expect(shadowed.shadows).toEqual(['a@1']);
    expect(after(shadowed, wish('SHADOW', 'a@1'))).toBe(shadowed);
    const active = after(shadowed, wish('ACTIVATE', 'a@1'));
    expect(active).toMatchObject({ champion: 'a@1', shadows: [] });
    expect(after(active, wish('ACTIVATE', 'a@1'))).toBe(active);
  });

  it('refuses what is retired, a champion in the shadow, a fourth shadow, and to retire what is in use', () => {
    const active = after(UNTOUCHED, wish('ACTIVATE', 'a@1'), wish('SHADOW', 'b@1'), wish('SHADOW', 'b@2'));
    const code = (act: () => unknown) => {
      try {
        act();
        return 'none';
      } catch (error) {
        return error instanceof RegistryError ? error.code : error;
      }
    };
    expect(code(() => slotsAfter(active, wish('ACTIVATE', 'c@1'), new Set(['c@1'])))).toBe('MODEL_CONFLICT');
    expect(code(() => slotsAfter(active, wish('SHADOW', 'c@1'), new Set(['c@1'])))).toBe('MODEL_CONFLICT');
    expect(code(() => after(active, wish('SHADOW', 'a@1')))).toBe('MODEL_CONFLICT');
    expect(code(() => after(active, wish('SHADOW', 'b@3'), wish('SHADOW', 'b@4')))).toBe('MODEL_CONFLICT');
    expect(code(() => after(active, wish('RETIRE', 'a@1')))).toBe('MODEL_CONFLICT');
    expect(code(() => after(active, wish('RETIRE', 'b@2')))).toBe('MODEL_CONFLICT');
    expect(after(active, wish('RETIRE', 'd@1'))).toBe(active);
  });

  it('whatever is wished: the champion is in no shadow, none is twice, and the revision counts the changes', () => {
    const wishes = fc.array(
      fc.record({
        action: fc.constantFrom(...MODEL_ACTIONS),
        model: fc.constantFrom('a@1', 'a@2', 'b@1', 'b@2', 'c@1'),
      }),
    );
    fc.assert(
      fc.property(wishes, (many) => {
        let slots = UNTOUCHED;
        for (const { action, model } of many) {
          try {
            slots = slotsAfter(slots, wish(action, model), NONE);
          } catch (error) {
            expect(error).toBeInstanceOf(RegistryError);
          }
          expect(slots.shadows).not.toContain(slots.champion);
          expect(new Set(slots.shadows).size).toBe(slots.shadows.length);
          expect(slots.changes.map(({ revision }) => revision)).toEqual(
            Array.from(
              { length: Math.min(slots.revision, 100) },
              (_, index) => slots.revision - Math.min(slots.revision, 100) + index + 1,
            ),
          );
        }
      }),
    );
  });
});

describe('announcements', () => {
  it('say for every name which version is in use, also that none is any more', () => {
    const slots = after(UNTOUCHED, wish('ACTIVATE', 'a@1'), wish('SHADOW', 'b@7'), wish('ACTIVATE', 'b@6'));
    const said = announcements(slots, 'model-updates').map(({ key, value }) => [
      key,
      JSON.parse(String(value)) as unknown,
    ]);
    expect(said).toMatchObject([
      ['a', { id: 'sensor-data/3/a', active: null, shadow: [], revision: 3 }],
      ['b', { id: 'sensor-data/3/b', active: '6', shadow: ['7'], revision: 3 }],
    ]);
  });
});
