import { describe, expect, it } from 'vitest';
import { DatabaseUnfitError, replicaSetFault } from './database.js';

describe('replicaSetFault', () => {
  it('takes a replica set, and the router of a sharded cluster', () => {
    expect(replicaSetFault({ setName: 'rs0' })).toBeNull();
    expect(replicaSetFault({ msg: 'isdbgrid' })).toBeNull();
  });

  it('refuses a server by itself for good, and waits for a set that is not initiated yet', () => {
    expect(replicaSetFault({})).toBeInstanceOf(DatabaseUnfitError);
    expect(replicaSetFault({})?.message).toContain('--replSet');
    const early = replicaSetFault({ isreplicaset: true });
    expect(early).toBeInstanceOf(Error);
    expect(early).not.toBeInstanceOf(DatabaseUnfitError);
  });
});
