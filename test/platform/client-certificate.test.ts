// Mail addresses in subject alternative names, as Node writes these; what a name holds cannot pass for another name.

import { expect, it } from 'vitest';
import { mailAddresses } from '../../src/platform/client-certificate.ts';

it.each<readonly [string, readonly string[]]>([
  ['', []],
  ['email:alice@example.test', ['alice@example.test']],
  ['DNS:a.test, email:alice@example.test, IP Address:::1, email:b@c.test', ['alice@example.test', 'b@c.test']],
  ['URI:http://x/?a=email:b@c.test', []],
  ['email:alice', []],
  ['DNS:"a.test, email:alice@example.test"', []],
  ['email:"a, DNS:b@c.test"', ['a, DNS:b@c.test']],
  ['email:"a\\u0000b@c.test", DNS:x', ['a\0b@c.test']],
  ['email:"a\nb@c.test", DNS:x', []],
  ['DNS:"\\", email:alice@example.test, \\""', []],
  ['othername:SmtpUTF8Mailbox:ä@example.test, email:alice@example.test', ['alice@example.test']],
  ['email:alice@example.test,email:b@c.test', []],
  ['email:alice@example.test, and "', []],
])('%j', (names, addresses) => {
  expect(mailAddresses(names)).toEqual(addresses);
});

it('of very many only the first', () => {
  const names = Array.from({ length: 1000 }, (_, n) => `email:u${n}@example.test`);
  expect(mailAddresses(names.join(', '))).toHaveLength(20);
});
