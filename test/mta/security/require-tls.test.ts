// REQUIRETLS and `TLS-Required: No` through the queue (RFC 8689): what the message asks for is asked of every host, and of
// no other message.

import { beforeAll, describe, expect, test } from 'vitest';
import { wishesOf } from '../../../src/mta/security/facts.ts';
import { type Identity, makeContext } from '../../../src/platform/tls.ts';
import { KEYWORDS } from '../../smtp/fake-server.ts';
import { queueStage } from '../queue-stage.ts';
import { makeAuthority, tlsaFor } from './authority.ts';

const NOW = Date.now();
const TLS = [...KEYWORDS, 'STARTTLS'];
const PROMISES = [...TLS, 'REQUIRETLS'];
const REQUIRE = { requiretls: true, ret: 'FULL' } as const;

let identity: Identity;
let other: Identity;
beforeAll(async () => {
  const authority = await makeAuthority('Test Authority', NOW);
  identity = await authority.issue(['mx2.test', 'mx3.test']);
  other = await authority.issue(['mx2.test']);
});

/** far.test: signed, its hosts with the right certificate, or with another. */
async function stage(options: { readonly keywords: readonly string[]; readonly wrong?: boolean }) {
  const s = await queueStage({ now: NOW });
  s.dns.set('far.test', {
    mx: [
      { preference: 0, exchange: 'mx2.test' },
      { preference: 1, exchange: 'mx3.test' },
    ],
    secure: true,
  });
  for (const host of [2, 3]) {
    s.dns.set(`mx${host}.test`, { ipv4: [`127.0.0.${host}`], secure: true });
    const tlsa = [tlsaFor(identity.certificate, 3, 1, 1)];
    s.dns.set(`_${s.port}._tcp.mx${host}.test`, { tlsa, secure: true });
  }
  const context = makeContext([options.wrong ? other : identity], 'lenient');
  const host = await s.hop(2, { keywords: options.keywords, context });
  return { s, host, context };
}

describe('REQUIRETLS', () => {
  test('goes on to a host that promises it', async () => {
    const { s, host } = await stage({ keywords: PROMISES });
    await using _ = s;
    await s.put({ to: ['bob@far.test'], parameters: REQUIRE });
    await s.until((entries) => entries.length === 0);
    expect(host.messages).toMatchObject([{ secure: true, mail: expect.stringMatching(/ REQUIRETLS\b/) }]);
    // Of another message it is not said.
    await s.put({ to: ['bob@far.test'] });
    await s.until((entries) => entries.length === 0);
    expect(host.messages[1]?.mail).not.toContain('REQUIRETLS');
  });

  test('goes past a host that does not, to one that does', async () => {
    const { s, host, context } = await stage({ keywords: TLS });
    await using _ = s;
    const second = await s.hop(3, { keywords: PROMISES, context });
    await s.put({ to: ['bob@far.test'], parameters: REQUIRE });
    await s.until((entries) => entries.length === 0);
    expect([host.messages.length, second.messages.length]).toEqual([0, 1]);
  });

  test('comes back with 5.7.30 and without its content where no host promises it; others go on', async () => {
    const { s, host, context } = await stage({ keywords: TLS });
    await using _ = s;
    await s.hop(3, { keywords: TLS, context });
    await s.put({ to: ['bob@far.test'], parameters: REQUIRE, content: 'Message-ID: <a@here.test>\r\n\r\nsecret\r\n' });
    await s.put({ to: ['bob@far.test'] });
    await s.until((entries) => entries.length === 0);
    expect(host.messages).toHaveLength(1);
    const [report = ''] = await s.inbox();
    expect(report).toMatch(/^Status: 5\.7\.30\r$/m);
    expect(report).not.toContain('secret');
  });

  test('waits where nobody vouches for the host', async () => {
    const { s, host } = await stage({ keywords: PROMISES });
    await using _ = s;
    s.domain('near.test', 2);
    await s.put({ to: ['bob@near.test'], parameters: REQUIRE });
    const [entry] = await s.until((entries) => entries.some(({ attempts }) => attempts > 0));
    expect(entry?.last?.security).toMatchObject({ rung: 'verified', policy: 'no-policy-found' });
    expect(host.sessions).toEqual([]);
  });

  test('the header counts for nothing where MAIL says REQUIRETLS (RFC 8689 §4.1)', () => {
    const reversePath = { localPart: 'a', domain: 'here.test' };
    const wishes = (parameters: object) => wishesOf({ parameters, reversePath });
    expect(wishes({ requiretls: true, tlsOptional: true })).toEqual({ requireTls: true, tlsOptional: false });
    expect(wishes({ tlsOptional: true })).toEqual({ requireTls: false, tlsOptional: true });
  });

  test('comes back with 5.7.10 where the time is over and the way was never protected (RFC 8689 §4.2.1)', async () => {
    const { s } = await stage({ keywords: PROMISES });
    await using _ = s;
    s.domain('near.test', 2);
    await s.put({ to: ['bob@near.test'], parameters: REQUIRE });
    while ((await s.entries()).length > 0) await s.pass();
    expect((await s.inbox()).at(-1)).toMatch(/^Action: failed\r\nStatus: 5\.7\.10\r$/m);
  });

  test('a report goes back by any way, and asks for protection where it can have it (RFC 8689 §5)', async () => {
    const { s, host } = await stage({ keywords: PROMISES });
    await using _ = s;
    s.domain('near.test', 4);
    const clear = await s.hop(4, { keywords: PROMISES });
    const report = { from: '', parameters: { requiretls: true } };
    await s.put({ ...report, to: ['bob@near.test', 'bob@far.test'] });
    await s.until((entries) => entries.length === 0);
    expect(clear.messages).toMatchObject([{ secure: false, mail: expect.not.stringContaining('REQUIRETLS') }]);
    expect(host.messages).toMatchObject([{ secure: true, mail: expect.stringMatching(/ REQUIRETLS\b/) }]);
  });
});

test('TLS-Required: No: what the receiver has published does not count, for this message alone', async () => {
  const { s, host } = await stage({ keywords: TLS, wrong: true });
  await using _ = s;
  await s.put({ to: ['bob@far.test'] });
  await s.put({ to: ['bob@far.test'], parameters: { tlsOptional: true } });
  const left = await s.until((entries) => entries.length === 1 && entries.every(({ attempts }) => attempts > 0));
  expect(left).toMatchObject([{ last: { security: { rung: 'dane' } } }]);
  expect(host.messages).toMatchObject([{ secure: true }]);
  expect(s.records).toContainEqual(expect.objectContaining({ msg: 'delivered', rung: 'opportunistic' }));
});
