// The forms in which a password is kept, against vectors computed apart (RFC 5802 §3, RFC 5803, RFC 9106).

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { isMadeOf, makePassword, passwordFromHash, UNMATCHABLE, verifyPassword } from '../../src/directory/password.ts';
import { formatPhc, parsePhc } from '../../src/formats/phc.ts';
import { saslprep } from '../../src/formats/saslprep.ts';
import type { PasswordRecord } from '../../src/store/rows.ts';

let record: PasswordRecord;

beforeAll(async () => {
  record = await makePassword('Gr\u00FC\u00DFe \u2160');
});

describe('a password', () => {
  it('fits itself and nothing else', async () => {
    expect(await verifyPassword(record, 'Gr\u00FC\u00DFe \u2160')).toBe(true);
    expect(await verifyPassword(record, 'Gr\u00FC\u00DFe II')).toBe(false);
    expect(await verifyPassword(record, '')).toBe(false);
    expect(await verifyPassword(record, 'Gr\u00FC\u00DFe \u2160\0')).toBe(false);
  });

  it('is one password however it is typed (RFC 4013 §2.1, §2.2)', async () => {
    expect(saslprep('I\u00ADX\u00A0\u2168')).toBe('IX IX');
    expect(await verifyPassword(record, 'Gru\u0308\u00DFe I')).toBe(true);
  });

  it('is salted, and kept in the forms of RFC 5803', async () => {
    expect((await makePassword('same')).argon2id).not.toBe((await makePassword('same')).argon2id);
    expect(parsePhc(record.argon2id)).toMatchObject({ memory: 7168, passes: 5, parallelism: 1 });
    for (const [text, hash, octets] of [
      [record.scramSha1, 'sha1', 20],
      [record.scramSha256, 'sha256', 32],
    ] as const) {
      const [, iterations, salt, storedKey, serverKey] = /^(\d+):(.+)\$(.+):(.+)$/.exec(text ?? '') ?? [];
      expect(Number(iterations)).toBeGreaterThanOrEqual(10_000);
      const salted = pbkdf2Sync(
        'Gr\u00FC\u00DFe I',
        Buffer.from(salt ?? '', 'base64'),
        Number(iterations),
        octets,
        hash,
      );
      const hmac = (text: string) => createHmac(hash, salted).update(text).digest();
      expect(createHash(hash).update(hmac('Client Key')).digest('base64')).toBe(storedKey);
      expect(hmac('Server Key').toString('base64')).toBe(serverKey);
    }
  });

  it('can be told again from its SCRAM verifier', async () => {
    expect(await isMadeOf(record, 'Gr\u00FC\u00DFe \u2160')).toBe(true);
    expect(await isMadeOf(record, 'other')).toBe(false);
    expect(await isMadeOf(UNMATCHABLE, '')).toBe(false);
  });

  it('is refused when empty, too long or with NUL', async () => {
    for (const bad of ['', '\u00AD\u200B', 'a\0b', 'x'.repeat(1025), '\uD800'])
      await expect(makePassword(bad)).rejects.toThrow(RangeError);
  });
});

describe('a PHC string', () => {
  // RFC 9106 gives no PHC string; this one was made with the reference program: argon2 somesalt -id -t 2 -m 16 -p 1.
  const REFERENCE = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';

  it('made elsewhere is understood', async () => {
    expect(await verifyPassword(passwordFromHash(REFERENCE), 'password')).toBe(true);
    expect(await verifyPassword(passwordFromHash(REFERENCE), 'Password')).toBe(false);
  });

  it('reads back as it was written', () => {
    const parts = parsePhc(REFERENCE);
    expect(parts && formatPhc(parts)).toBe(REFERENCE);
  });

  it.each([
    '',
    'wonderland',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=65536,t=999,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=8,t=2,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$',
  ])('that is none or asks for too much fits nothing: %s', async (text) => {
    expect(parsePhc(text)).toBeUndefined();
    expect(() => passwordFromHash(text)).toThrow(RangeError);
    expect(await verifyPassword({ argon2id: text, scramSha1: null, scramSha256: null }, 'password')).toBe(false);
  });
});
