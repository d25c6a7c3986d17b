// Mailboxes: what is one, what is none, and how one is written.

import { expect, test } from 'vitest';
import { formatAddress, isAscii, normalizeDomain, parseMailbox, toAddress } from '../../src/formats/address.ts';
import { corpus } from './corpus.ts';

test.each(corpus('mailboxes'))('%s is a mailbox', (written, formatted = written) => {
  const address = parseMailbox(written ?? '');
  if (address === null) throw new Error('it was refused');
  expect(formatAddress(address)).toBe(formatted);
  expect(parseMailbox(formatAddress(address))).toEqual(address);
});

test.each(corpus('no-mailboxes'))('%s is none', (written) => {
  expect(parseMailbox(written ?? '')).toBeNull();
});

test('control characters and line ends are in no mailbox', () => {
  for (let code = 0; code < 160; code += 1) {
    if (code >= 32 && code < 127) continue;
    const character = String.fromCharCode(code);
    expect(parseMailbox(`a${character}@example.test`)).toBeNull();
    expect(parseMailbox(`"a${character}"@example.test`)).toBeNull();
    expect(parseMailbox(`"a\\${character}"@example.test`)).toBeNull();
    expect(parseMailbox(`a@exam${character}ple.test`)).toBeNull();
    expect(parseMailbox(`a@example.test${character}`)).toBeNull();
  }
  expect(parseMailbox('a\ud800@example.test')).toBeNull();
});

test('a domain has at most 255 octets', () => {
  const label = 'x'.repeat(49);
  const domain = `${`${label}.`.repeat(5)}abcde`;
  expect(normalizeDomain(domain)).toBe(domain);
  expect(normalizeDomain(`${domain}f`)).toBe('');
});

test('a local part has at most 255 octets as it is written, far more than the 64 that RFC 5321 §4.5.3.1.1 asks for', () => {
  for (const local of [
    'x'.repeat(255),
    `${'x'.repeat(127)}.${'y'.repeat(127)}`,
    `"${' '.repeat(253)}"`,
    `${'é'.repeat(127)}x`,
  ]) {
    expect(parseMailbox(`${local}@example.test`), local).not.toBeNull();
  }
  for (const local of ['x'.repeat(256), `"${' '.repeat(254)}"`, `"${'\\"'.repeat(127)}"`, 'é'.repeat(128)]) {
    expect(parseMailbox(`${local}@example.test`), local).toBeNull();
  }
  expect(toAddress('x'.repeat(255), 'example.test')).not.toBeNull();
  expect(toAddress(' '.repeat(255), 'example.test')).toBeNull();
});

test('a name of any length is judged at once', () => {
  const long = 'é'.repeat(1_000_000);
  expect([parseMailbox(`${long}@a.test`), parseMailbox(`a@${long}`), toAddress(long, 'a.test')]).toEqual([
    null,
    null,
    null,
  ]);
  expect([normalizeDomain(long), normalizeDomain('a'.repeat(1_000_000))]).toEqual(['', '']);
});

test('the bare postmaster has no domain', () => {
  expect(formatAddress({ localPart: 'Postmaster', domain: '' })).toBe('Postmaster');
});

test('only what is all ASCII goes without SMTPUTF8', () => {
  expect(isAscii({ localPart: 'a', domain: 'xn--mnchen-3ya.test' })).toBe(true);
  expect(isAscii({ localPart: 'é', domain: 'example.test' })).toBe(false);
});

test('what a header gives becomes an address, or none', () => {
  expect(toAddress('a b', 'Example.Test')).toEqual({ localPart: 'a b', domain: 'example.test' });
  expect(toAddress('', 'example.test')).toBeNull();
  expect(toAddress('a\r\nb', 'example.test')).toBeNull();
});
