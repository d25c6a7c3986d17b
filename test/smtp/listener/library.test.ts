// The contract with smtp-server: Postern stands on private names of it (src/smtp/listener/library.ts), so any change of
// its code fails here and asks for a look at each of them.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { WireServer } from '../../../src/smtp/listener/library.ts';
import { SmtpClient } from '../../clients/smtp.ts';
import { createWorld } from '../../world.ts';
import { testKeeper } from './gate.ts';

const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('smtp-server/package.json'));
// The edition that is used.
const { SMTPServer }: typeof import('smtp-server') = require('smtp-server');
const { SMTPConnection }: typeof import('smtp-server/lib/smtp-connection.js') =
  require('smtp-server/lib/smtp-connection.js');
const { SMTPStream }: typeof import('smtp-server/lib/smtp-stream.js') = require('smtp-server/lib/smtp-stream.js');

test('the version is pinned exactly', () => {
  const own = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(own.dependencies['smtp-server']).toBe('3.21.6');
  expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version).toBe('3.21.6');
});

test.each([
  ['smtp-connection.js', 'cda3703b62ec19374850fb1b3df22ebe7fae3b974104e2948fa6b2e40a3a7f70'],
  ['smtp-stream.js', 'b3308eb8c6fdf99620c4c10f3dca48ffa1610f221518ec6c5de260a58762ea9b'],
  ['smtp-server.js', 'eee6add05a0761c0e79908f91f6382f15d9f5874fdefb6b4d3043ce60cfbdd0a'],
])('%s is the code that was read', (file, digest) => {
  const code = readFileSync(join(folder, 'dist/cjs', file));
  expect(createHash('sha256').update(code).digest('hex')).toBe(digest);
});

test('the private names are there', () => {
  expect(SMTPConnection.prototype).toMatchObject(
    functions('init', '_createParser', '_setListeners', '_armTimeout', '_onError', '_onClose', 'upgrade', 'close'),
  );
  expect(SMTPStream.prototype).toMatchObject(functions('_write', '_flushData'));
  expect(SMTPServer.prototype).toMatchObject(functions('updateSecureContext', '_resolveSNI'));
  expect(new SMTPStream()).toMatchObject({ isClosed: false });
});

function functions(...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, expect.any(Function)]));
}

test('STARTTLS gets the context that is in force', async () => {
  const keeper = await testKeeper();
  let current = keeper.context('strict');
  const server = new WireServer(() => current, false);
  expect(server.secureContext.get('*')).toBe(current);
  current = keeper.context('strict');
  expect(server.secureContext.get('*')).toBe(current);
});

test.each([
  ['P-256 where the client can', {}, 'prime256v1'],
  ['RSA where it cannot', { sigalgs: 'RSA-PSS+SHA256' }, undefined],
])('STARTTLS serves a client that names any server with %s', async (_, options, curve) => {
  await using world = await createWorld();
  for (const servername of ['localhost', 'somebody.else.test']) {
    const door = { port: world.here.port(25), tls: 'starttls', tlsOptions: { servername, ...options } } as const;
    using client = await SmtpClient.open(door);
    // asn1Curve is a certificate's that has a curve; RSA has none.
    expect(client.link.secure?.getPeerCertificate()).toMatchObject({ subject: { CN: expect.any(String) } });
    expect(client.link.secure?.getPeerCertificate().asn1Curve).toBe(curve);
  }
});

test("the library's built-in key is never loaded", () => {
  const server = new WireServer(() => {
    throw new Error('nobody asked');
  }, false);
  expect(server.options.key).toBeUndefined();
  expect(server.options.cert).toBeUndefined();
  expect(server.server.listening).toBe(false);
});
