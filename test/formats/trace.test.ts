// Trace fields: their grammar, and that nothing foreign breaks out of them.

import { expect, test } from 'vitest';
import { parseHeader } from '../../src/formats/header.ts';
import {
  deliveredToField,
  type ReceivedFacts,
  receivedField,
  returnPathField,
  transmissionType,
} from '../../src/formats/trace.ts';

const FACTS: ReceivedFacts = {
  hello: 'client.test',
  remoteAddress: '192.0.2.1',
  by: 'mail.example.test',
  protocol: 'ESMTPS',
  id: 'abc123',
  tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', bits: 256 },
  recipient: { localPart: 'bob', domain: 'example.test' },
  time: Date.UTC(2003, 6, 1, 8, 52, 37),
  zone: 120,
};

const unfolded = (facts: Partial<ReceivedFacts>): string =>
  receivedField({ ...FACTS, ...facts }).replace(/\r\n\t/g, ' ');

test('a Received field', () => {
  expect(unfolded({})).toBe(
    'Received: from client.test ([192.0.2.1]) by mail.example.test with ESMTPS id abc123 for <bob@example.test> ' +
      'tls TLS_AES_256_GCM_SHA384 (TLSv1.3 256 bits); Tue, 1 Jul 2003 10:52:37 +0200\r\n',
  );
  expect(unfolded({ tls: null, recipient: null })).toBe(
    'Received: from client.test ([192.0.2.1]) by mail.example.test with ESMTPS id abc123; ' +
      'Tue, 1 Jul 2003 10:52:37 +0200\r\n',
  );
});

test('RFC 6710 §4.1: what was asked for by MT-PRIORITY stands among the clauses', () => {
  expect(unfolded({ priority: -3 })).toContain(' for <bob@example.test> PRIORITY -3 tls ');
  expect(unfolded({ priority: 0, tls: null })).toContain(' for <bob@example.test> PRIORITY 0; Tue');
});

test('lines are short', () => {
  for (const line of receivedField(FACTS).split('\r\n')) expect(line.length).toBeLessThan(78);
});

test.each([
  ['client.test', '2001:db8::1', 'from client.test ([IPv6:2001:db8::1]) by'],
  ['[192.0.2.1]', '192.0.2.1', 'from [192.0.2.1] ([192.0.2.1]) by'],
  ['münchen.test', '192.0.2.1', 'from xn--mnchen-3ya.test ([192.0.2.1]) by'],
  ['my pc', '192.0.2.1', 'from [192.0.2.1] ([192.0.2.1]) (helo=my?pc) by'],
  ['', '192.0.2.1', 'from [192.0.2.1] ([192.0.2.1]) by'],
  [null, '192.0.2.1', 'from [192.0.2.1] ([192.0.2.1]) by'],
  ['client.test', null, 'from client.test by'],
  [null, null, 'from localhost by'],
  [null, 'fe80::1%eth0', 'from [IPv6:fe80::1] ([IPv6:fe80::1]) by'],
])('HELO %s from %s', (hello, remoteAddress, expected) => {
  expect(unfolded({ hello, remoteAddress })).toContain(expected);
});

test('nothing that a client says adds a line or a field', () => {
  for (const evil of [
    'x\r\nBcc: y',
    'x\nBcc: y',
    'x\r\n\r\nbody',
    'a) (b',
    '\0',
    'x;y',
    'é\r\n',
    '"\r\n"',
    'x'.repeat(9999),
  ]) {
    const address = { localPart: evil, domain: 'example.test' };
    const fields = [
      receivedField({ ...FACTS, hello: evil, id: evil, recipient: address }),
      receivedField({ ...FACTS, tls: { protocol: evil, cipher: evil, bits: 1 } }),
      returnPathField(address),
      deliveredToField(address),
    ];
    for (const field of fields) {
      expect(parseHeader(Buffer.from(`${field}\r\n`))).toHaveLength(1);
      expect(field.replace(/\r\n(?=\t|$)/g, '')).not.toMatch(/[\r\n\0]/);
    }
  }
});

test('transmission types of RFC 3848 and RFC 6531 §4.3', () => {
  const type = (word: string): string =>
    transmissionType({
      extended: word !== '',
      tls: word.includes('tls'),
      auth: word.includes('auth'),
      utf8: word.includes('utf8'),
    });
  expect(['', 'ehlo', 'tls', 'auth', 'tls auth', 'utf8', 'utf8 tls', 'utf8 auth', 'utf8 tls auth'].map(type)).toEqual([
    'SMTP',
    'ESMTP',
    'ESMTPS',
    'ESMTPA',
    'ESMTPSA',
    'UTF8SMTP',
    'UTF8SMTPS',
    'UTF8SMTPA',
    'UTF8SMTPSA',
  ]);
});

test('Return-Path and Delivered-To', () => {
  expect(returnPathField(null)).toBe('Return-Path: <>\r\n');
  expect(returnPathField({ localPart: 'a b', domain: 'example.test' })).toBe('Return-Path: <"a b"@example.test>\r\n');
  expect(deliveredToField({ localPart: 'é', domain: 'example.test' })).toBe('Delivered-To: é@example.test\r\n');
});
