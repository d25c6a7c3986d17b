// BINARY (RFC 3516) with octets of any kind and any number, against a real listener.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { LIMIT } from '../../src/imap/limits.ts';
import { ImapClient } from '../clients/imap.ts';
import { Random } from '../fuzz/random.ts';
import { type Gate, openGate, PASSWORD } from './gate.ts';

let gate: Gate;

beforeAll(async () => {
  gate = await openGate();
});
afterAll(() => gate[Symbol.asyncDispose]());

const login = { user: 'alice@example.test', password: PASSWORD };

/** A message of two parts; its boundary is not in what they hold. */
function parcel(contents: readonly Buffer[]): Buffer {
  const parts = contents.flatMap((content) => [
    Buffer.from('\r\n--bound\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n'),
    content,
  ]);
  const head = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=bound\r\n';
  return Buffer.concat([Buffer.from(head), ...parts, Buffer.from('\r\n--bound--\r\n')]);
}

test('what was appended with NUL comes back octet by octet', async () => {
  const random = new Random(3516);
  using client = await ImapClient.open({ port: gate.port }, login);
  await client.done('SELECT INBOX');
  const sizes = [1, 2, 57, 1000, LIMIT.decoded - 1, LIMIT.decoded + 1, 3 * LIMIT.decoded];
  for (const [at, size] of sizes.entries()) {
    const contents = [Buffer.from('\0'), Buffer.from(random.bytes(size))];
    const message = parcel(contents);
    await client.done(`APPEND INBOX ~{${message.length}+}`, [message]);
    const [sizeOf] = await client.done(`FETCH ${at + 1} BINARY.SIZE[2]`);
    expect(sizeOf?.text).toBe(`* ${at + 1} FETCH (BINARY.SIZE[2] ${size})`);
    // Several at once: only the first of them is short enough to be kept in memory.
    const [whole] = await client.done(`FETCH ${at + 1} (BINARY.PEEK[1] BINARY.PEEK[2] BINARY.PEEK[2])`);
    const right = whole?.literals.map((octets, i) => octets.equals(contents[Math.min(i, 1)] ?? Buffer.of()));
    expect(right).toEqual([true, true, true]);
    const [plain] = await client.done(`FETCH ${at + 1} BODY.PEEK[]`);
    expect(plain?.literals[0]?.includes(0)).toBe(false);
    const offset = Math.floor(size / 2);
    const [part] = await client.done(`FETCH ${at + 1} BINARY.PEEK[2]<${offset}.1000>`);
    expect(part?.literals[0]?.equals(contents[1]?.subarray(offset, offset + 1000) ?? Buffer.of())).toBe(true);
  }
});
