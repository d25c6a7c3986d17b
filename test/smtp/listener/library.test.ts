// The contract with smtp-server: Postern stands on private names of it (src/smtp/listener/library.ts), so any change of
// its code fails here and asks for a look at each of them.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import { expect, test } from 'vitest';
import { WireServer } from '../../../src/smtp/listener/library.ts';
import { SmtpClient } from '../../clients/smtp.ts';
import { createWorld } from '../../world.ts';
import { testKeeper } from './gate.ts';

const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('smtp-server/package.json'));

test('the version is pinned exactly', () => {
  const own = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(own.dependencies['smtp-server']).toBe('3.21.6');
  expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version).toBe('3.21.6');
});

test.each([
  ['smtp-connection.js', 'b7ee51b8774cabf09ce667a89743efd027eca234d23bee5e5296c2c00de0fd3a'],
  ['smtp-stream.js', '4e48daabf1b43c951e6f561940a9d141ed3f2d953f8783889586c67122c2aa18'],
  ['smtp-server.js', '7d526449a98692430a28bf927c49cfa1e7ea0d35e06d8c7442deb9c36dc6e2f8'],
])('%s is the code that was read', (file, digest) => {
  const code = readFileSync(join(folder, 'dist/esm', file));
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
