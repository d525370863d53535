import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createDecoder } from './decode.js';
import { DECODE_FAULTS } from './decode-fault.js';
import { REJECTION_REASONS } from './rejection.js';

const PAGE = readFileSync(new URL('../../docs/messages.md', import.meta.url), 'utf8');

/** The words in the first column of the table under a heading. */
function listed(heading: string): string[] {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((row) => row[1] ?? '');
}

describe('docs/messages.md', () => {
  it('lists every reason for a rejection', () => {
    expect(listed('Rejections').sort()).toEqual([...REJECTION_REASONS].sort());
  });

  it('lists every fault', () => {
    expect(listed('Faults').sort()).toEqual([...DECODE_FAULTS].sort());
  });
});

describe('a decoder without readable schemas', () => {
  it('is not made', () => {
    const options = { format: 'auto', maxBody: 1_024, clockAhead: 1_000, schemaDir: '/nowhere' } as const;
    expect(() => createDecoder(options)).toThrow(
      expect.objectContaining({ code: 'SCHEMAS_UNREADABLE', retriable: false }),
    );
  });
});
