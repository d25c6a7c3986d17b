// Signatures that others can verify: an example of the RFCs by hand, ours by another implementation, and what must break
// them.

import { createHash, createPublicKey, verify as verifyWith } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHeader } from '../../src/formats/header.ts';
import { dkimKeys } from '../../src/trust/dkim/keys.ts';
import { relaxedField, signedFields } from '../../src/trust/dkim/signed-fields.ts';
import { createDkimSigner } from '../../src/trust/dkim/signer.ts';
import { FakeClock } from '../fake-clock.ts';
import { good, SELECTORS, verify } from './verifier.ts';

const DOMAINS = ['example.test', 'xn--bcher-kva.example'];
let folder: string;

// One folder for all: keys take their time.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-dkim-'));
});
afterAll(() => rm(folder, { recursive: true }));

const HEADER = [
  'Received: from client.example by mail.example.test with ESMTPSA; Thu, 1 Jan 2026 00:00:00 +0000',
  'From: Alice <alice@example.test>',
  'To: carol@other.test,',
  '\tdave@other.test',
  'SUBJECT :  a   subject ',
  'Date: Thu, 1 Jan 2026 00:00:00 +0000',
  'Message-ID: <1@example.test>',
].join('\r\n');
const BODY = 'Hello,\r\n\r\n  spaces  and\ttabs \r\n\r\n\r\n';

async function sign(header = HEADER, body = BODY, domain = 'example.test', piece = 7): Promise<string> {
  const signer = createDkimSigner({ folder, domains: DOMAINS, clock: new FakeClock(1_767_323_045_000), ...SELECTORS });
  const signature = signer.begin();
  const octets = Buffer.from(body, 'latin1');
  for (let at = 0; at < octets.length; at += piece) signature.body(octets.subarray(at, at + piece));
  const whole = Buffer.from(`${header}\r\n\r\n`, 'latin1');
  const fields = await signature.fields(domain, { octets: whole, fields: parseHeader(whole) });
  return `${fields}${header}\r\n\r\n${body}`;
}

const verdicts = (message: string) => verify(Buffer.from(message, 'latin1'), folder, DOMAINS);
const results = async (message: string) => (await verdicts(message)).map(({ result }) => result);

describe('by hand', () => {
  /** The tags of a signature, without white space. */
  const tags = (field: string): ReadonlyMap<string, string> =>
    new Map(
      relaxedField(field)
        .replace(/^[^:]*:/, '')
        .split(';')
        .map((tag) => {
          const [name = '', ...value] = tag.replace(/\s/g, '').split('=');
          return [name, value.join('=')];
        }),
    );

  it('the example of RFC 8463 §A.3 is what we would have hashed', () => {
    const signature = [
      'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;',
      ' d=football.example.com; i=@football.example.com;',
      ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
      ' subject : date : message-id : from : subject : date;',
      ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
      ' b=',
    ].join('\r\n');
    const covered = [
      'From: Joe SixPack <joe@football.example.com>',
      'To: Suzie Q <suzie@shopping.example.net>',
      'Subject: Is dinner ready?',
      'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
      'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
      signature,
    ];
    const hash = createHash('sha256').update(covered.map(relaxedField).join('\r\n')).digest();
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      format: 'jwk',
    });
    const b = '/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==';
    expect(verifyWith(null, hash, key, Buffer.from(b, 'base64'))).toBe(true);
  });

  it('both signatures of ours hold', async () => {
    const message = await sign();
    const fields = parseHeader(Buffer.from(message, 'latin1'));
    const keys = await dkimKeys(folder, 'example.test', SELECTORS);
    const canonicalBody = 'Hello,\r\n\r\n spaces and tabs\r\n';
    for (const [index, { algorithm, selector, key }] of keys.entries()) {
      const field = fields[index];
      const text = message.slice(field?.offset, (field?.offset ?? 0) + (field?.length ?? 0));
      const said = tags(text);
      expect(said.get('v')).toBe('1');
      expect(said.get('a')).toBe(algorithm);
      expect(said.get('c')).toBe('relaxed/relaxed');
      expect([said.get('s'), said.get('d'), said.get('t')]).toEqual([selector, 'example.test', '1767323045']);
      expect(said.get('bh')).toBe(createHash('sha256').update(canonicalBody).digest('base64'));
      const covered = [
        'from:Alice <alice@example.test>',
        'subject:a subject',
        'date:Thu, 1 Jan 2026 00:00:00 +0000',
        'message-id:<1@example.test>',
        'to:carol@other.test, dave@other.test',
        relaxedField(text.replace(/(\tb=)[^;]*$/, '$1')),
      ].join('\r\n');
      expect(said.get('h')).toBe('from:from:subject:subject:date:date:message-id:to:to:cc:content-type');
      const octets = Buffer.from(covered, 'latin1');
      const signature = Buffer.from(said.get('b') ?? '', 'base64');
      const signed = algorithm === 'rsa-sha256' ? octets : createHash('sha256').update(octets).digest();
      const hash = algorithm === 'rsa-sha256' ? 'sha256' : null;
      expect(verifyWith(hash, signed, createPublicKey(key), signature)).toBe(true);
    }
    for (const line of message.split('\r\n')) expect(line.length).toBeLessThan(100);
  });
});

describe('by another implementation', () => {
  it.each([
    ['a plain message', HEADER, BODY],
    ['no body', HEADER, ''],
    ['only empty lines', HEADER, '\r\n\r\n'],
    ['a body without a line end', HEADER, 'x'],
    ['UTF-8 in header and body', `${HEADER}\r\nCc: \xc3\xbc@b\xc3\xbccher.example`, 'Gr\xc3\xbc\xc3\x9fe\r\n'],
    ['a header of two fields', 'From: alice@example.test\r\nDate: x', BODY],
    ['every field twice', `${HEADER}\r\n${HEADER}`, BODY],
    ['more of a field than is named', `${HEADER}\r\n${'To: many@other.test\r\n'.repeat(50)}X: y`, BODY],
    ['a long reference', `${HEADER}\r\nReferences: ${'<aaaaaaaaaaaaaaaa@b.example>\r\n '.repeat(80)}<z@z>`, BODY],
  ])('%s passes with both keys', async (_, header, body) => {
    expect(await verdicts(await sign(header, body))).toEqual(good('example.test'));
  });

  it('a domain in A-labels', async () => {
    expect(await verdicts(await sign(HEADER, BODY, DOMAINS[1]))).toEqual(good('xn--bcher-kva.example'));
  });

  it('what mail systems do to white space on the way is forgiven', async () => {
    const message = await sign();
    expect(await results(message.replace('To: carol@other.test,\r\n\t', 'To:   carol@other.test, '))).toEqual([
      'pass',
      'pass',
    ]);
    expect(await results(`${message}\r\n\r\n`)).toEqual(['pass', 'pass']);
  });

  it.each([
    ['a word of the body', 'Hello', 'Hallo'],
    ['the subject', 'a   subject', 'a   project'],
    ['a second From', 'From: Alice', 'From: Eve <eve@example.test>\r\nFrom: Alice'],
    ['a second Subject', 'From: Alice', 'Subject: you have won\r\nFrom: Alice'],
    ['a type that turns the body into something else', 'From: Alice', 'Content-Type: text/html\r\nFrom: Alice'],
    ['a recipient taken out', ',\r\n\tdave@other.test', ''],
  ])('%s breaks both', async (_, before, after) => {
    const message = await sign();
    const changed = message.replace(before, after);
    expect(changed).not.toBe(message);
    for (const result of await results(changed)) expect(result).not.toBe('pass');
  });
});

it('a header that names everything many times makes signatures that fit in front of a body', async () => {
  const heap = signedFields(parseHeader(Buffer.from('')))
    .map(({ name }) => name)
    .concat('list-unsubscribe-post', 'resent-date', 'content-transfer-encoding', 'list-subscribe', 'in-reply-to')
    .map((name) => `${name}: x\r\n`.repeat(100))
    .join('');
  const message = await sign(`${HEADER}\r\n${heap}X: y`);
  expect(message.indexOf('Received:')).toBeLessThan(3_000);
  expect(await verdicts(message)).toEqual(good('example.test'));
});

it('signs for no other domain', async () => {
  await expect(sign(HEADER, BODY, 'other.test')).rejects.toThrow();
});
