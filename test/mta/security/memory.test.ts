// What destinations have shown: remembered, told of when it is less, refused where an operator wants no less.

import { beforeAll, describe, expect, test } from 'vitest';
import { type Identity, makeContext } from '../../../src/platform/tls.ts';
import { KEYWORDS } from '../../smtp/fake-server.ts';
import { makeTestIdentity } from '../../smtp/test-identity.ts';
import { type QueueStage, queueStage } from '../queue-stage.ts';
import { tlsaFor } from './authority.ts';

const DAY = 24 * 3_600_000;
const TLS = [...KEYWORDS, 'STARTTLS'];

let identity: Identity;
beforeAll(async () => {
  identity = await makeTestIdentity('mx2.test');
});

/** far.test with one host that has TLS, to which one message went. */
async function stage(forbidDowngrade: boolean) {
  const s = await queueStage({ relay: { forbidDowngrade } });
  s.domain('far.test', 2);
  const host = await s.hop(2, { keywords: TLS, context: makeContext([identity], 'lenient') });
  const send = async (parameters = {}) => {
    // Nothing that was connected or found out a moment ago is used again.
    await s.partFrom(host);
    s.clock.advance(120_000);
    await s.put({ to: ['bob@far.test'], parameters });
    return await s.until((entries) => entries.every(({ attempts }) => attempts > 0));
  };
  await send();
  await shows(s, 'encrypted');
  return { s, host, send };
}

async function shows(s: QueueStage, level: string): Promise<void> {
  while ((await s.store.read.receivers.shownProtection('far.test'))?.level !== level) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const told = ({ records }: QueueStage) => records.filter(({ msg }) => msg === 'less protected than before');

describe('a host that had TLS and has none now', () => {
  test('is told of, and gets its mail in clear', async () => {
    const { s, host, send } = await stage(false);
    await using _ = s;
    host.script = { keywords: KEYWORDS };
    await send();
    await send();
    expect(host.messages.map(({ secure }) => secure)).toEqual([true, false, false]);
    expect(told(s)).toMatchObject([{ domain: 'far.test', host: 'mx2.test', was: 'encrypted', now: 'clear' }]);
    // What it was is not forgotten for that.
    await shows(s, 'encrypted');
  });

  test('has to wait for its mail where that is configured, after a restart too', async () => {
    const { s, host, send } = await stage(true);
    await using _ = s;
    host.script = { keywords: KEYWORDS };
    expect(await send()).toMatchObject([
      { last: { security: { rung: 'required', failure: 'starttls-not-supported' } } },
    ]);
    expect(host.messages).toHaveLength(1);
    await using next = await s.successor();
    await s.put({ to: ['eve@far.test'] });
    const left = await next.until((entries) => entries.length === 2 && entries.every(({ attempts }) => attempts > 0));
    expect(left).toHaveLength(2);
    expect(host.messages).toHaveLength(1);
  });

  test('the sender who does not want it to count is heard', async () => {
    const { s, host, send } = await stage(true);
    await using _ = s;
    host.script = { keywords: KEYWORDS };
    expect(await send({ tlsOptional: true })).toEqual([]);
    expect(told(s)).toEqual([]);
  });
});

test('more than before takes its place; what was not seen for long is no expectation', async () => {
  const { s, host, send } = await stage(true);
  await using _ = s;
  s.dns.set('far.test', { mx: [{ preference: 0, exchange: 'mx2.test' }], secure: true });
  s.dns.set('mx2.test', { ipv4: ['127.0.0.2'], secure: true });
  s.dns.set(`_${s.port}._tcp.mx2.test`, { tlsa: [tlsaFor(identity.certificate, 3, 1, 1)], secure: true });
  await send();
  await shows(s, 'dane');
  s.domain('far.test', 2);
  expect(await send()).toMatchObject([{ last: { security: { rung: 'dane' } } }]);
  s.clock.sleep(91 * DAY);
  await s.put({ to: ['carol@far.test'] });
  await s.until(() => host.messages.length >= 3);
});
