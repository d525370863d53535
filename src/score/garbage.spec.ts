import { expect, it } from 'vitest';
import { collectGarbage } from './garbage.js';

it('frees at once what nobody holds any more', async () => {
  const refs = [new WeakRef(new Float64Array(1_000)), new WeakRef(new Float64Array(1_000))];
  const held = refs[1]?.deref();
  // A weak reference keeps what it was made of or asked for until the end of the turn.
  await new Promise((resolve) => setTimeout(resolve));
  collectGarbage();
  expect(refs[0]?.deref()).toBeUndefined();
  expect(refs[1]?.deref()).toBe(held);
});
