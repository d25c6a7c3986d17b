// Address lists: the examples of RFC 5322 Appendix A, what old and broken mail has, and time that stays linear.

import { expect, test } from 'vitest';
import { type AddressEntry, parseAddressList } from '../../src/formats/address-list.ts';

/** `name|route|local|domain`, `group:` and `;`. */
function shown(entry: AddressEntry): string {
  if (entry.kind === 'group') return `${entry.name}:`;
  if (entry.kind === 'end') return ';';
  return [entry.name, entry.route, entry.localPart, entry.domain].join('|');
}

test.each([
  ['John Doe <jdoe@machine.example>', ['John Doe||jdoe|machine.example']],
  ['"Joe Q. Public" <john.q.public@example.com>', ['Joe Q. Public||john.q.public|example.com']],
  [
    'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
    ['Mary Smith||mary|x.test', '||jdoe|example.org', 'Who?||one|y.test'],
  ],
  [
    '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
    ['||boss|nil.test', 'Giant; "Big" Box||sysservices|example.net'],
  ],
  [
    'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
    ['A Group:', 'Ed Jones||c|a.test', '||joe|where.test', 'John||jdoe|one.test', ';'],
  ],
  ['Undisclosed recipients:;', ['Undisclosed recipients:', ';']],
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', ['Pete||pete|silly.test']],
  ['(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', ['Hidden recipients:', ';']],
  ['Joe Q. Public <john.q.public@example.com>', ['Joe Q. Public||john.q.public|example.com']],
  [
    'Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example',
    ['Mary Smith|@node.test|mary|example.net', '||jdoe|test.example'],
  ],
  ['<@a.test,@b.test:c@d.test>', ['|@a.test,@b.test|c|d.test']],
  ['John Doe <jdoe@machine(comment).  example>', ['John Doe||jdoe|machine.example']],
  ['jdoe@example.org (John Doe)', ['John Doe||jdoe|example.org']],
  ['"quoted local"@example.org', ['||quoted local|example.org']],
  ['a@[127.0.0.1]', ['||a|[127.0.0.1]']],
  ['[Team] One <a@b.test>', ['[Team] One||a|b.test']],
  ['a@b.test <c@d.test>', ['a@b.test||c|d.test']],
  ['root', ['||root|']],
  ['John Doe', ['John Doe|||']],
  ['<>', ['|||']],
  ['Alice <>', ['Alice|||']],
  ['<a@b.test> <c@d.test>', ['||a|b.test', '||c|d.test']],
  ['<a@b.test', ['||a|b.test']],
  ['a@b.test>', ['||a|b.test']],
  ['"never closed <a@b.test>', ['||never closed <a@b.test>|']],
  ['a: b@c.test', ['a:', '||b|c.test', ';']],
  ['a@b.test; c@d.test', ['||a|b.test', '||c|d.test']],
  ['=?utf-8?q?J=C3=B6rg?= <j@b.test>', ['=?utf-8?q?J=C3=B6rg?=||j|b.test']],
  ['\u00e0 \u00c3\u00a0 <j@b.test>', ['\u00e0 \u00c3\u00a0||j|b.test']],
  ['', []],
  [' , ,, ', []],
])('%s', (value, expected) => {
  expect(parseAddressList(value).map(shown)).toEqual(expected);
});

const addresses = ['a@b.test,', '<a@b.test>,', '<a@b.test>', ':;', 'a:b@c.test;', ',<>', '(x)<a>'];
test.each([...addresses, ',', ';', '@', 'x ', '()', '""', '<@', 'x:'])(
  'many of %j end in one mailbox without an address',
  (piece) => {
    const entries = parseAddressList(piece.repeat(100_000));
    expect(entries.length).toBeLessThan(2005);
    expect(entries.findLast((entry) => entry.kind === 'mailbox')).toMatchObject({ localPart: '', domain: '' });
  },
);

test('as many as are read, and a comma behind them, are all', () => {
  const entries = parseAddressList('<a@b.test>, '.repeat(2000));
  expect(entries).toHaveLength(2000);
  expect(entries.at(-1)).toMatchObject({ localPart: 'a' });
});

test.each(['(', '"', '<', ':', ';', ',', '@', 'a:', '<a', '\\', 'a@b,', '(\\', '[', 'x ', '<a>', ':;'])(
  'a megabyte of %j takes little time',
  (piece) => {
    const before = process.cpuUsage();
    parseAddressList(piece.repeat(Math.floor(1_000_000 / piece.length)));
    expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
  },
);

test('colons behind an address take no longer, however much stands before it', () => {
  const before = process.cpuUsage();
  parseAddressList(`${'x '.repeat(200_000)}@${':'.repeat(200_000)}`);
  expect(process.cpuUsage(before).user).toBeLessThan(3_000_000);
});
