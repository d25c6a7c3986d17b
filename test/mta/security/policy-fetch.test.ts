// Fetching a policy from an HTTPS server of the test's own: what is taken, and all that is not.

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { createPolicyFetcher } from '../../../src/mta/security/policy-fetch.ts';
import type { Identity } from '../../../src/platform/tls.ts';
import { clientContexts } from '../../../src/smtp/client/secure-context.ts';
import { FakeClock } from '../../fake-clock.ts';
import { FakeDns, type FakeName } from '../../fake-dns.ts';
import { type Authority, makeAuthority } from './authority.ts';

const HOST = 'mta-sts.far.test';
const HERE: FakeName = { ipv4: ['127.0.0.1'] };

let authority: Authority;
let identity: Identity;
beforeAll(async () => {
  authority = await makeAuthority();
  identity = await authority.issue([HOST]);
});

interface Scene {
  readonly identity?: Identity;
  readonly name?: FakeName;
  readonly loopback?: boolean;
}

async function stage(answer: RequestListener, scene: Scene = {}) {
  const { certificate: cert, key } = scene.identity ?? identity;
  const heard: string[] = [];
  const named: string[] = [];
  const SNICallback = (name: string, done: (error: null) => void) => {
    named.push(name);
    done(null);
  };
  const server = createServer({ cert, key, SNICallback }, (request, response) => {
    heard.push(`${request.headers.host} ${request.url}`);
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  const clock = new FakeClock();
  const ending = new AbortController();
  const fetch = createPolicyFetcher({
    dns: new FakeDns({ [HOST]: scene.name ?? HERE }),
    clock,
    loopback: scene.loopback ?? true,
    contexts: clientContexts([authority.certificate]),
    port,
  });
  return {
    heard,
    named,
    clock,
    ending,
    fetch: () => fetch('far.test', ending.signal),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const giving =
  (text: string | Buffer, type = 'text/plain', status = 200): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': type, location: 'https://elsewhere.test/' }).end(text);

test('the text at its well-known place, by the name of the host', async () => {
  await using s = await stage(giving('version: STSv1\n', 'text/plain; charset=utf-8'));
  expect(await s.fetch()).toEqual({ kind: 'fetched', text: 'version: STSv1\n' });
  expect(s.heard).toEqual([`${HOST} /.well-known/mta-sts.txt`]);
  // RFC 8461 §7.1: SNI.
  expect(s.named).toEqual([HOST]);
});

test.each([
  ['a redirect', giving('', 'text/plain', 301), 'sts-policy-fetch-error'],
  ['not found', giving('no', 'text/plain', 404), 'sts-policy-fetch-error'],
  ['no content', giving('', 'text/plain', 204), 'sts-policy-fetch-error'],
  ['a page', giving('<html>', 'text/html'), 'sts-policy-invalid'],
  ['too much', giving(Buffer.alloc(64 * 1024 + 1, 0x20)), 'sts-policy-invalid'],
  ['a close', ((_request, response) => void response.socket?.destroy()) as RequestListener, 'sts-policy-fetch-error'],
])('not: %s', async (_, answer, failure) => {
  await using s = await stage(answer);
  expect(await s.fetch()).toMatchObject({ kind: 'failed', failure });
  expect(s.heard).toHaveLength(1);
});

test('not by a certificate of another name, of nobody, or of the past', async () => {
  const wrong = [
    await authority.issue(['far.test']),
    await authority.issue(['mta*.far.test']),
    await authority.issue(['*.test']),
    await authority.issue([], { commonName: HOST }),
    await (await makeAuthority('Somebody')).issue([HOST]),
    await authority.issue([HOST], { from: Date.now() - 7_200_000, to: Date.now() - 3_600_000 }),
  ];
  for (const one of wrong) {
    await using s = await stage(giving('version: STSv1'), { identity: one });
    expect(await s.fetch()).toMatchObject({ failure: 'sts-webpki-invalid' });
    expect(s.heard).toEqual([]);
  }
});

test('by a certificate whose wildcard is the first label', async () => {
  await using s = await stage(giving('version: STSv1\n'), { identity: await authority.issue(['*.far.test']) });
  expect(await s.fetch()).toMatchObject({ kind: 'fetched' });
});

test('not without an address, nor from inside unless that is allowed', async () => {
  for (const scene of [{ name: {} }, { name: { broken: true } }, { loopback: false }]) {
    await using s = await stage(giving('version: STSv1'), scene);
    expect(await s.fetch()).toMatchObject({ failure: 'sts-policy-fetch-error' });
    expect(s.heard).toEqual([]);
  }
});

test.each(['before the answer', 'within it'])('an answer that stalls %s is not waited for', async (when) => {
  const asked = Promise.withResolvers<void>();
  await using s = await stage((_request, response) => {
    if (when === 'within it') response.writeHead(200, { 'content-type': 'text/plain' }).write('version');
    asked.resolve();
  });
  const fetching = s.fetch();
  await asked.promise;
  s.clock.advance(60_000);
  expect(await fetching).toMatchObject({ failure: 'sts-policy-fetch-error' });
});

test('closing ends a fetch at once', async () => {
  const asked = Promise.withResolvers<void>();
  await using s = await stage(() => asked.resolve());
  const fetching = s.fetch();
  await asked.promise;
  s.ending.abort();
  expect(await fetching).toMatchObject({ kind: 'failed' });
});
