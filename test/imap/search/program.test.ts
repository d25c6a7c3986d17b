// A search of one message without a store: what is found where a body is cut into pieces, and that many needles make the
// pieces smaller, so that others have their turn.

import { expect, test } from 'vitest';
import { structureOf } from '../../../src/formats/structure.ts';
import type { SearchMessage } from '../../../src/imap/search/evidence.ts';
import { CHUNK } from '../../../src/imap/search/message-text.ts';
import { compileSearch } from '../../../src/imap/search/program.ts';

const HEADER = 'Subject: long\r\n\r\n';
const body = 'All work and no play makes Jack a dull boy.\r\n'.repeat(12_000);
const octets = Buffer.from(HEADER + body);

const message: SearchMessage = {
  sequence: 1,
  uid: 1,
  flags: 0,
  keywords: [],
  recent: false,
  modSeq: 1,
  emailId: 'M1',
  threadId: 'T1',
  saveDate: 0,
  internalDate: 0,
  internalZone: 0,
  size: octets.length,
  headerSize: HEADER.length,
  prefixSize: 0,
};

/** Does the message hold all of these? And how much was looked through at a time. */
async function search(texts: readonly string[]): Promise<{ found: boolean; steps: number[] }> {
  const steps: number[] = [];
  const program = { keys: texts.map((text) => ({ key: 'body', text }) as const), badCharset: false };
  const { matches } = compileSearch(program, { sequence: 1, uid: 1, saved: () => new Uint32Array(0), now: 0 });
  const found = await matches(message, {
    octets: async (offset, length) => octets.subarray(offset, offset + length),
    root: async () => structureOf(octets),
    searched: async (characters) => void steps.push(characters),
  });
  return { found, steps };
}

test('a text is found wherever the body is cut, beside many others', async () => {
  const texts = Array.from({ length: 97 }, (_, i) => body.slice(i * 5_000 + i, i * 5_000 + i + 60).toLowerCase());
  expect((await search(texts)).found).toBe(true);
  expect((await search([...texts, 'all play'])).found).toBe(false);
});

test('the more texts there are, the less of the body is looked through before others have their turn', async () => {
  for (const count of [1, 7, 100]) {
    const { steps } = await search(Array.from({ length: count }, (_, i) => `nothing ${i}`));
    expect(Math.max(...steps)).toBeLessThan(CHUNK + count);
    expect(steps.reduce((sum, step) => sum + step, 0)).toBeGreaterThanOrEqual(body.length * count);
  }
});

test('however many keys ask, the keywords of a message are looked through once', () => {
  let looks = 0;
  const keywords = new Proxy(['Work', 'Play'], {
    get(target, property) {
      if (property === '0') looks += 1;
      return Reflect.get(target, property);
    },
  });
  const keys = Array.from({ length: 500 }, (_, i) => ({ key: 'keyword', keyword: `k${i}`, set: false }) as const);
  const mailbox = { sequence: 1, uid: 1, saved: () => new Uint32Array(0), now: 0 };
  const search = (more: string) =>
    compileSearch({ keys: [...keys, { key: 'keyword', keyword: more, set: true }], badCharset: false }, mailbox).judge({
      ...message,
      keywords,
    });
  expect(search('PLAY')).toBe(true);
  expect(search('rest')).toBe(false);
  expect(looks).toBe(2);
});
