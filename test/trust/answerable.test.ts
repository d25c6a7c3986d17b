// Who answers for a message: our own signatures and those of another implementation, in every canonicalization; and all
// that must break them.

import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseHeader } from '../../src/formats/header.ts';
import { dkimKeys, dkimRecord } from '../../src/trust/dkim/keys.ts';
import { RelaxedBody } from '../../src/trust/dkim/relaxed-body.ts';
import { signatureField } from '../../src/trust/dkim/signature-field.ts';
import { signedFields } from '../../src/trust/dkim/signed-fields.ts';
import { createDkimSigner } from '../../src/trust/dkim/signer.ts';
import { answerableDomains } from '../../src/trust/dkim/verifier.ts';
import { FakeClock } from '../fake-clock.ts';
import { FakeDns } from '../fake-dns.ts';
import { SELECTORS } from './verifier.ts';

const DOMAIN = 'example.test';
const NOW = Date.UTC(2026, 0, 1);
const HEADER =
  'From: Alice <alice@example.test>\r\nTo: carol@other.test,\r\n\tdave@other.test\r\nSubject:  two  spaces\r\n\r\n';
const BODY = 'Hello,\r\n  spaces \t and lines \r\n\r\n\r\n';

let folder: string;
let dns: FakeDns;
let privateKey: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-dkim-'));
  dns = new FakeDns();
  for (const key of await dkimKeys(folder, DOMAIN, SELECTORS)) {
    dns.set(`${key.selector}._domainkey.${DOMAIN}`, { txt: [dkimRecord(key)] });
  }
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const pkcs1 = pair.publicKey.export({ type: 'pkcs1', format: 'der' }).toString('base64');
  const records = {
    spki: `v=DKIM1; k=rsa; p=${spki}`,
    bare: `p=${spki}`,
    pkcs1: `v=DKIM1; p=${pkcs1}`,
    tls: `v=DKIM1; s=tlsrpt; p=${spki}`,
    mail: `v=DKIM1; s=email:tlsrpt; h=sha1:sha256; p=${spki.replace(/.{40}/g, '$& ')}`,
    any: `v=DKIM1; s=new:*; p=${spki}`,
    strict: `v=DKIM1; t=new:s; p=${spki}`,
    testing: `v=DKIM1; t=s : y; p=${spki}`,
    other: `v=DKIM1; s=other; p=${spki}`,
    sha1: `v=DKIM1; h=sha1; p=${spki}`,
    revoked: 'v=DKIM1; p=',
    version: `v=DKIM2; p=${spki}`,
    junk: `v=DKIM1; p=${spki}; p=${spki}`,
    wrong: `v=DKIM1; p=${generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`,
  };
  for (const [name, txt] of Object.entries(records)) dns.set(`${name}._domainkey.${DOMAIN}`, { txt: [txt] });
  dns.set('spki._domainkey.test', { txt: [records.spki] });
  dns.set(`broken._domainkey.${DOMAIN}`, { broken: true });
});
afterAll(() => rm(folder, { recursive: true }));

async function ours(header = HEADER, body = BODY): Promise<string> {
  const signer = createDkimSigner({ folder, domains: [DOMAIN], clock: new FakeClock(NOW), ...SELECTORS });
  const signature = signer.begin();
  signature.body(Buffer.from(body));
  const octets = Buffer.from(header);
  return `${await signature.fields(DOMAIN, { octets, fields: parseHeader(octets) })}${header}${body}`;
}

async function theirs(
  selector = 'spki',
  canonicalization = 'relaxed/relaxed',
  more = {},
  body = BODY,
): Promise<string> {
  const message = HEADER + body;
  const key = { signingDomain: DOMAIN, selector, privateKey };
  const { signatures, errors } = await dkimSign(message, {
    canonicalization,
    algorithm: 'rsa-sha256',
    signTime: new Date(NOW),
    ...key,
    signatureData: [key],
    ...more,
  });
  expect(errors).toEqual([]);
  return `${signatures}${message}`;
}

const judge = (message: string, services = ['email', 'tlsrpt'], now = NOW) =>
  answerableDomains(Buffer.from(message), { dns, now, services });
const KNOWN = { kind: 'known', domains: [DOMAIN], testing: [] };
const NOBODY = { kind: 'known', domains: [], testing: [] };

test('ours, behind fields that hops have put in front', async () => {
  expect(await judge(await ours())).toEqual(KNOWN);
  expect(await judge(`Received: by somebody\r\n${await ours()}`)).toEqual(KNOWN);
});

test.each(['relaxed/relaxed', 'relaxed/simple', 'simple/relaxed', 'simple/simple'])(
  'theirs, %s',
  async (canonicalization) => {
    for (const body of [BODY, '', '\r\n\r\n', 'no line end', ' \r\n', 'x\r\n']) {
      expect(await judge(await theirs('spki', canonicalization, {}, body))).toEqual(KNOWN);
    }
  },
);

test.each(['spki', 'bare', 'pkcs1', 'tls', 'mail', 'any'])('the record %s has a key', async (selector) => {
  expect(await judge(await theirs(selector))).toEqual(KNOWN);
});

test.each(['other', 'sha1', 'revoked', 'version', 'junk', 'wrong', 'absent'])(
  'the record %s has none',
  async (selector) => {
    expect(await judge(await theirs(selector))).toEqual(NOBODY);
  },
);

test('a key of a domain that tests answers for nothing, and another one of it does (RFC 6376 §3.6.1)', async () => {
  const tested = await theirs('testing');
  expect(await judge(tested)).toEqual({ kind: 'known', domains: [], testing: [DOMAIN] });
  const broken = tested.replace('Hello', 'Hallo');
  expect(await judge(broken)).toEqual(NOBODY);
  const field = tested.slice(0, tested.indexOf('From: Alice'));
  expect(await judge(field + (await theirs()))).toEqual(KNOWN);
});

test('a key for reports is none for mail', async () => {
  expect(await judge(await theirs('tls'), ['email'])).toEqual(NOBODY);
});

test('the DNS does not answer: nobody knows, unless another signature fits', async () => {
  const broken = await theirs('broken');
  expect(await judge(broken)).toMatchObject({ kind: 'unknown' });
  const field = broken.slice(0, broken.indexOf('From: Alice'));
  expect(await judge(field + (await theirs()))).toEqual(KNOWN);
});

test.each([
  ['the body', (text: string) => `${text}more\r\n`],
  ['a word of the body', (text: string) => text.replace('Hello', 'Hallo')],
  ['a field that is covered', (text: string) => text.replace('Subject:  two', 'Subject: three')],
  ['another sender in front', (text: string) => `From: mallory@example.test\r\n${text}`],
  ['the domain', (text: string) => text.replaceAll('d=example.test', 'd=other.test')],
  ['half a body', (text: string) => text.replaceAll('v=1;', 'v=1; l=0;')],
  ['a tag twice', (text: string) => text.replaceAll('v=1;', 'v=1; v=1;')],
  ['another version', (text: string) => text.replaceAll('v=1;', 'v=2;')],
  ['another algorithm', (text: string) => text.replaceAll(/a=[a-z0-9]+-sha256/g, 'a=rsa-sha1')],
  ['an algorithm that is a property', (text: string) => text.replaceAll(/a=[a-z0-9]+-sha256/g, 'a=constructor')],
  ['a third canonicalization', (text: string) => text.replaceAll('relaxed/relaxed', 'relaxed/relaxed/simple')],
  ['an unknown canonicalization', (text: string) => text.replaceAll('relaxed/relaxed', 'relaxed/strict')],
  ['no signatures', (text: string) => text.replaceAll('DKIM-Signature', 'X-Signature')],
  ['no header', (text: string) => `\r\n${text}`],
])('changed: %s', async (_, change) => {
  expect(await judge(change(await ours()))).toEqual(NOBODY);
});

test('From must be covered, a signature ends at its time, and nobody signs for his neighbour', async () => {
  const covering = async (...names: readonly string[]) => {
    const body = new RelaxedBody();
    body.update(Buffer.from(BODY));
    const fields = signedFields(parseHeader(Buffer.from(HEADER))).filter(({ name }) => names.includes(name));
    const facts = { algorithm: 'rsa-sha256', domain: DOMAIN, selector: 'spki', fields, now: NOW } as const;
    const key = createPrivateKey(privateKey);
    const signed = async (octets: Buffer) => sign('sha256', octets, key);
    return (await signatureField({ ...facts, bodyHash: body.digest() }, HEADER, signed)) + HEADER + BODY;
  };
  expect(await judge(await covering('from', 'subject'))).toEqual(KNOWN);
  expect(await judge(await covering('subject'))).toEqual(NOBODY);
  const short = await theirs('spki', 'relaxed/relaxed', { expires: new Date(NOW + 60_000) });
  expect(short).toMatch(/x=\d+/);
  expect(await judge(short)).toEqual(KNOWN);
  expect(await judge(short, ['email'], NOW + 60_000)).toEqual(NOBODY);
  const neighbour = (await theirs()).replace('v=1;', 'v=1; i=@else.test;');
  expect(await judge(neighbour)).toEqual(NOBODY);
});

/** Signed as it is, with these tags: what is wrong is what they say. */
async function saying(tags: string, fields = 'from', selector = 'spki'): Promise<string> {
  const body = new RelaxedBody();
  body.update(Buffer.from(BODY));
  const hash = body.digest().toString('base64');
  const text = `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; s=${selector}; h=${fields}; bh=${hash}; ${tags}; b=`;
  const covered = `from:Alice <alice@example.test>\r\n${text.replace('DKIM-Signature: ', 'dkim-signature:')}`;
  const signature = sign('sha256', Buffer.from(covered), createPrivateKey(privateKey)).toString('base64');
  return `${text}${signature}\r\n${HEADER}${BODY}`;
}

test.each([
  ['nothing more', 'd=example.test', true],
  ['an identity', 'd=example.test; i=alice@example.test', true],
  ['one below', 'd=example.test; i=@sub.example.test', true],
  ['what nobody knows', 'd=example.test; new=thing', true],
  ['a way to the key that nobody knows, and another', 'd=example.test; q=new/way:dns/txt', true],
  ['a time', 'd=example.test; t=1; x=999999999999', true],
  ['an end before its start', 'd=example.test; t=9999999999; x=9999999998', false],
  ['a time that is none', 'd=example.test; t=yesterday', false],
  ['a time without end', 'd=example.test; x=1000000000000000', false],
  ['an identity without @', 'd=example.test; i=example.test', false],
  ['an identity of nobody', 'd=example.test; i=alice@', false],
  ['no other way to the key', 'd=example.test; q=new/way', false],
  ['no domain', 'i=alice@example.test', false],
  ['a domain of one label', 'd=test', false],
])('a signature that says %s (%s): %s', async (_, tags, good) => {
  expect(await judge(await saying(tags))).toEqual(good ? KNOWN : NOBODY);
});

test('a key that is for its domain alone signs for none below it', async () => {
  expect(await judge(await saying('d=example.test; i=alice@example.test', 'from', 'strict'))).toEqual(KNOWN);
  expect(await judge(await saying('d=example.test; i=alice@sub.example.test', 'from', 'strict'))).toEqual(NOBODY);
});

test('the list of fields has names alone, in any case', async () => {
  expect(await judge(await saying('d=example.test', 'From : X-None'))).toEqual(KNOWN);
  for (const fields of ['from:', 'from::subject', ':from', 'from: a b', ''])
    expect(await judge(await saying('d=example.test', fields))).toEqual(NOBODY);
});

test('keys of 1,024 to 4,096 bits count, shorter ones do not (RFC 8301 §3.2)', async () => {
  for (const [bits, result] of [
    [768, NOBODY],
    [1_024, KNOWN],
    [4_096, KNOWN],
  ] as const) {
    const pair = generateKeyPairSync('rsa', { modulusLength: bits });
    const record = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    dns.set(`long._domainkey.${DOMAIN}`, { txt: [`v=DKIM1; p=${record}`] });
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const data = { signingDomain: DOMAIN, selector: 'long', privateKey: key };
    expect(await judge(await theirs('long', 'relaxed/relaxed', { ...data, signatureData: [data] }))).toEqual(result);
  }
});

test('a signature with l=, of less than the whole body or not, counts for nothing', async () => {
  for (const maxBodyLength of [5, 10_000]) {
    const data = { signingDomain: DOMAIN, selector: 'spki', privateKey, maxBodyLength };
    const short = await theirs('spki', 'relaxed/relaxed', { signatureData: [data] });
    expect(short).toMatch(/\bl=\d+/);
    expect(await judge(short)).toEqual(NOBODY);
  }
});

test('of a heap of signatures a few are looked at', async () => {
  const field = (await theirs('wrong')).split('From: Alice')[0] ?? '';
  dns.asked.length = 0;
  await judge(field.repeat(500) + HEADER + BODY);
  expect(dns.asked.length).toBeLessThanOrEqual(8);
});

test('anything may come', async () => {
  for (const text of [
    '',
    'x',
    'DKIM-Signature:',
    'DKIM-Signature: ;;;\r\n\r\n',
    `DKIM-Signature: b=${'='.repeat(9_999)}\r\n`,
  ]) {
    expect(await judge(text)).toEqual(NOBODY);
  }
});
