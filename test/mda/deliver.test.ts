// The trace fields of the last hop and the loop that they show (RFC 5321 §4.4, RFC 9228 §3).

import { expect, it } from 'vitest';
import { parseHeader } from '../../src/formats/header.ts';
import { Refusal } from '../../src/formats/refusal.ts';
import { deliver, refuseDeliveryLoop } from '../../src/mda/deliver.ts';

const alice = { id: 1, address: 'alice@example.test', aliases: [], quota: null };
const to = (localPart: string, domain = 'example.test') => ({ account: alice, address: { localPart, domain } });
const header = (text: string) => parseHeader(Buffer.from(text));

it('delivers to INBOX with the trace fields of the last hop (RFC 5321 §4.4, RFC 9228 §3)', () => {
  const delivery = deliver(to('Alice+x'), { localPart: 'a b', domain: 'remote.test' }, 1000);
  expect(delivery).toMatchObject({ account: 1, mailbox: 'INBOX', flags: 0, keywords: [], internalDate: 1000 });
  expect(Buffer.from(delivery.prefix).toString()).toBe(
    'Return-Path: <"a b"@remote.test>\r\nDelivered-To: Alice+x@example.test\r\n',
  );
});

it('writes the null reverse-path as such', () => {
  expect(Buffer.from(deliver(to('alice'), null, 0).prefix).toString()).toMatch(/^Return-Path: <>\r\n/);
});

it.each([
  ['Delivered-To: alice@example.test\r\n\r\n', true],
  ['x: y\r\ndelivered-to:\r\n  ALICE@example.TEST\r\n\r\n', true],
  ['Delivered-To: bob@example.test\r\nDelivered-To: alice@example.test\r\n\r\n', true],
  ['Delivered-To: alice+x@example.test\r\n\r\n', false],
  ['Delivered-To: alice\r\nDelivered-To:\r\nDelivered-To: <<>>\r\n\r\n', false],
  ['X-Delivered-To: alice@example.test\r\n\r\n', false],
  ['\r\nDelivered-To: alice@example.test\r\n', false],
])('knows a loop by its own mark: %j', (text, loop) => {
  const check = () => refuseDeliveryLoop(header(text), [to('bob', 'other.test'), to('Alice')]);
  if (loop) expect(check).toThrow(Refusal);
  else expect(check).not.toThrow();
});

it('looks at each recipient once, however many marks there are', () => {
  let looked = 0;
  const recipient = {
    account: alice,
    get address() {
      looked += 1;
      return { localPart: 'alice', domain: 'example.test' };
    },
  };
  refuseDeliveryLoop(header('Delivered-To: bob@example.test\r\n'.repeat(1_000)), Array(100).fill(recipient));
  expect(looked).toBe(100);
});
