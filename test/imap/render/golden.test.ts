// ENVELOPE, BODY, BODYSTRUCTURE and sections of whole messages (RFC 3501 §6.4.5, §7.4.2) against the golden pairs.

import { describe, expect, test } from 'vitest';
import { fetched } from './fetched.ts';
import { goldenPairs } from './golden.ts';

describe.each(goldenPairs())('$title ($name)', ({ prefix, message, items }) => {
  test.each(items)('%s', (item, value) => {
    const found = fetched(prefix, message, item) ?? 'NIL';
    // A rendering is one line, whose end in the file says nothing.
    expect(found).toBe(item.includes('[') ? value : value.replace(/\r\n$/, ''));
  });
});
