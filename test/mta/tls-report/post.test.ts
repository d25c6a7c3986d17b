// Handing a report over to an HTTPS server of the test's own, by itself and through the nights of a whole server.

import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { readTlsReport } from '../../../src/formats/tls-report/reader.ts';
import { createTlsReportPoster } from '../../../src/mta/tls-report/post.ts';
import type { Identity } from '../../../src/platform/tls.ts';
import { clientContexts } from '../../../src/smtp/client/secure-context.ts';
import { FakeClock } from '../../fake-clock.ts';
import { FakeDns, type FakeName } from '../../fake-dns.ts';
import { addressOf, createWorld } from '../../world.ts';
import { type Authority, makeAuthority } from '../security/authority.ts';

const HOST = 'reports.far.test';
const REPORT = Buffer.from('report');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let authority: Authority;
let identity: Identity;
beforeAll(async () => {
  authority = await makeAuthority();
  identity = await authority.issue([HOST]);
});

async function listen(answer: RequestListener, { certificate: cert, key }: Identity = identity) {
  const heard: { readonly line: string; readonly type: string | undefined; readonly body: Buffer }[] = [];
  const server = createServer({ cert, key }, async (request, response) => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer); // without an encoding
    const { method, url, headers } = request;
    heard.push({ line: `${method} ${headers.host} ${url}`, type: headers['content-type'], body: Buffer.concat(body) });
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    heard,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function stage(
  answer: RequestListener,
  scene: { identity?: Identity; name?: FakeName; loopback?: boolean } = {},
) {
  const server = await listen(answer, scene.identity);
  const clock = new FakeClock();
  const ending = new AbortController();
  const post = createTlsReportPoster({
    dns: new FakeDns({ [HOST]: scene.name ?? { ipv4: ['127.0.0.1', '127.0.0.1'] } }),
    clock,
    loopback: scene.loopback ?? true,
    contexts: clientContexts([authority.certificate]),
  });
  return {
    heard: server.heard,
    port: server.port,
    clock,
    ending,
    post: () => post(`https://${HOST}:${server.port}/v1/tlsrpt?who=me`, REPORT, ending.signal),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const answering =
  (status: number): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, { location: 'https://elsewhere.test/' }).end('thanks');

test.each([200, 201, 202, 204])('%d: taken', async (status) => {
  await using s = await stage(answering(status));
  expect(await s.post()).toEqual({ kind: 'taken' });
  expect(s.heard).toEqual([
    { line: `POST ${HOST}:${s.port} /v1/tlsrpt?who=me`, type: 'application/tlsrpt+gzip', body: REPORT },
  ]);
});

test.each([301, 307, 400, 404, 500, 503])('%d: not taken, and asked once', async (status) => {
  await using s = await stage(answering(status));
  expect(await s.post()).toMatchObject({ kind: 'failed' });
  expect(s.heard).toHaveLength(1);
});

test('an answer without end is not read', async () => {
  await using s = await stage((_request, response) => {
    response.writeHead(200).write(Buffer.alloc(1024 * 1024));
  });
  expect(await s.post()).toEqual({ kind: 'taken' });
});

test('nothing is said to a host with another certificate, or of the inside', async () => {
  const scenes = [
    { identity: await authority.issue(['far.test']) },
    { identity: await (await makeAuthority('Somebody')).issue([HOST]) },
    { name: {} },
    { name: { broken: true } },
    { loopback: false },
  ];
  for (const scene of scenes) {
    await using s = await stage(answering(200), scene);
    expect(await s.post()).toMatchObject({ kind: 'failed' });
    expect(s.heard).toEqual([]);
  }
});

test('an answer that does not come is not waited for, and closing ends it at once', async () => {
  for (const end of ['time', 'closing']) {
    const asked = Promise.withResolvers<void>();
    await using s = await stage(() => asked.resolve(), { name: { ipv4: ['127.0.0.1'] } });
    const posting = s.post();
    await asked.promise;
    if (end === 'time') s.clock.advance(60_000);
    else s.ending.abort();
    expect(await posting).toMatchObject({ kind: 'failed' });
  }
});

test('a server tries for a day, over a restart too, and hands the report over once', async () => {
  let status = 503;
  await using server = await listen((_request, response) => void response.writeHead(status).end());
  const folder = await mkdtemp(join(tmpdir(), 'postern-ca-'));
  const authorities = [join(folder, 'ca.pem')];
  await writeFile(authorities[0] ?? '', authority.certificate);
  try {
    await using world = await createWorld({
      servers: 2,
      level: 'info',
      configure: (config) => ({ ...config, relay: { ...config.relay, authorities } }),
    });
    const { here, dns, clock } = world;
    dns.set(HOST, { ipv4: ['127.0.0.1'] });
    dns.set('_smtp._tls.other.test', { txt: [`v=TLSRPTv1; rua=https://${HOST}:${server.port}/tls`] });
    const turns = async () => {
      for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    const heard = async (count: number) => {
      while (server.heard.length < count) await turns();
      // What came of it is written down.
      while (((await here.running.store.read.tlsReports.nextPostAt()) ?? Number.POSITIVE_INFINITY) <= clock.now())
        await turns();
    };
    await here.submit('alice', { to: addressOf('carol'), text: 'x' });
    await here.queueEmpty();
    clock.advance(120_000);
    while ((await here.running.store.read.tlsReports.unreportedDays('9999-01-01')).length === 0) await turns();
    clock.advance(Math.ceil(clock.now() / DAY) * DAY + 5 * HOUR - clock.now());
    await heard(1);
    clock.advance(5 * 60_000);
    await heard(2);
    await here.restart();
    status = 200;
    clock.advance(10 * 60_000);
    await heard(3);
    clock.advance(12 * HOUR);
    await turns();
    const [first, ...others] = server.heard;
    expect(others).toEqual([first, first]);
    expect(readTlsReport(gunzipSync(first?.body ?? ''))).toMatchObject({
      organization: 'The example.test people',
      policies: [{ domain: 'other.test', successes: 1, failures: 0 }],
    });
    expect(await here.running.store.read.tlsReports.nextPostAt()).toBeNull();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('after a day it is given up, with a line in the log', async () => {
  await using world = await createWorld({ servers: 2, level: 'info' });
  const { here, dns, clock, records } = world;
  dns.set('_smtp._tls.other.test', { txt: ['v=TLSRPTv1; rua=https://nowhere.test/'] });
  await here.submit('alice', { to: addressOf('carol'), text: 'x' });
  await here.queueEmpty();
  const given = () => records.filter(({ msg }) => String(msg).startsWith('TLS report given up'));
  clock.advance(120_000);
  while ((await here.running.store.read.tlsReports.unreportedDays('9999-01-01')).length === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (given().length === 0) {
    clock.advance(HOUR);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(given()).toMatchObject([{ domain: 'other.test', url: 'https://nowhere.test/' }]);
  expect(await here.running.store.read.tlsReports.nextPostAt()).toBeNull();
});
