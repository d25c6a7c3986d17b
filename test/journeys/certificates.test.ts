// Logging in by a certificate (EXTERNAL, RFC 4422 appendix A) on every port that knows users: who vouches for it, whose it
// is, and that nothing else counts.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { Identity } from '../../src/platform/tls.ts';
import { ClientAuthority } from '../client-authority.ts';
import { createWorld, type World } from '../world.ts';
import { converse, LOGGED_IN, type LoginGate, REFUSED } from './login-talk.ts';

const HOUR = 3_600_000;
const NOT_OFFERED = /^(?:504 5\.5\.4|a NO \[CANNOT\]|-ERR )/;

let authority: ClientAuthority;
let stranger: ClientAuthority;
let alice: Identity;

beforeAll(async () => {
  authority = await ClientAuthority.make('Our users');
  stranger = await ClientAuthority.make('Their users');
  alice = await authority.issue(['alice@example.test']);
});

const file = (config: Config) => join(config.data, '../clients.pem');

/** Everywhere but on 25 certificates of the authority are taken. */
function open(vouching = authority): Promise<World> {
  return createWorld({
    configure: (config) => ({
      ...config,
      listeners: config.listeners.map((listener) =>
        listener.role === 'transfer' ? listener : { ...listener, clients: { files: [file(config)], place: null } },
      ),
    }),
    before: (config) => writeFile(file(config), vouching.certificate),
  });
}

const showing = ({ certificate, key }: Identity): ConnectionOptions => ({ cert: certificate, key });

/** Is EXTERNAL offered, and what is said of an attempt? */
async function attempt(
  world: World,
  gate: LoginGate,
  options: ConnectionOptions,
  authorization: string | null = '',
): Promise<{ offered: boolean; ended: string }> {
  using client = await converse(world.here, gate, options);
  let ended = await client.say(authorization, 'EXTERNAL');
  // Without an initial response there is an empty challenge.
  if (authorization === null) ended = ended === '' ? await client.say('') : `no challenge: ${ended}`;
  await client.leave();
  return { offered: /\bEXTERNAL\b/.test(client.offered), ended };
}

describe.each([465, 587, 993, 143, 995, 110] as const)('on %d', (gate) => {
  test('a certificate opens the account that it names, and no other', async () => {
    await using world = await open();
    const admitted = { offered: true, ended: expect.stringMatching(LOGGED_IN) };
    const rejected = { offered: true, ended: expect.stringMatching(REFUSED) };
    expect(await attempt(world, gate, showing(alice))).toEqual(admitted);
    expect(await attempt(world, gate, showing(alice), null)).toEqual(admitted);
    expect(await attempt(world, gate, showing(alice), 'Alice@Example.test')).toEqual(admitted);
    expect(await attempt(world, gate, showing(alice), 'postmaster@example.test')).toEqual(admitted);
    expect(await attempt(world, gate, { ...showing(alice), maxVersion: 'TLSv1.2' })).toEqual(admitted);
    expect(await attempt(world, gate, showing(alice), 'bob@example.test')).toEqual(rejected);
    expect(await attempt(world, gate, showing(alice), 'nobody@example.test')).toEqual(rejected);
    expect(await attempt(world, gate, showing(alice), 'alice@example.test\0')).toEqual(rejected);
  });

  test('a certificate that names nobody here, or by another name than an address, opens nothing', async () => {
    await using world = await open();
    for (const names of [['erin@example.test'], ['alice@other.test'], ['alice'], ['bob.example.test'], []]) {
      const { offered, ended } = await attempt(world, gate, showing(await authority.issue(names)));
      expect([offered, ended], String(names)).toEqual([true, expect.stringMatching(REFUSED)]);
    }
  });

  test('a certificate for which nobody vouches does not count, and none is not missed', async () => {
    await using world = await open();
    const unknown = await stranger.issue(['alice@example.test']);
    const names = ['alice@example.test'];
    const flawed: readonly [string, ConnectionOptions][] = [
      ['none', {}],
      ['of another authority', showing(unknown)],
      ['expired', showing(await authority.issue(names, { from: -2 * HOUR, until: -HOUR }))],
      ['not yet valid', showing(await authority.issue(names, { from: HOUR, until: 2 * HOUR }))],
      ['for servers', showing(await authority.issue(names, { purpose: 'server' }))],
    ];
    for (const [why, options] of flawed) {
      const { offered, ended } = await attempt(world, gate, options);
      expect([offered, ended], why).toEqual([false, expect.stringMatching(NOT_OFFERED)]);
      using client = await converse(world.here, gate, options);
      expect(await client.say('\0alice@example.test\0wonderland', 'PLAIN'), why).toMatch(LOGGED_IN);
      await client.leave();
    }
  });

  test('where no authority is named, nobody is asked for a certificate', async () => {
    await using world = await createWorld();
    const { offered, ended } = await attempt(world, gate, showing(alice));
    expect([offered, ended]).toEqual([false, expect.stringMatching(NOT_OFFERED)]);
  });
});

test('a certificate for several accounts opens the one that the client says', async () => {
  await using world = await open();
  const both = showing(await authority.issue(['alice@example.test', 'bob@example.test']));
  expect((await attempt(world, 993, both)).ended).toMatch(REFUSED);
  using client = await converse(world.here, 465, both);
  expect(await client.say('bob@example.test', 'EXTERNAL')).toMatch(LOGGED_IN);
  client.link.write('MAIL FROM:<alice@example.test>\r\n');
  expect(await client.link.line()).toMatch(/^5/);
  client.link.write('MAIL FROM:<bob@example.test>\r\n');
  expect(await client.link.line()).toMatch(/^250/);
  const name = showing(await authority.issue(['alice@example.test', 'postmaster@example.test']));
  expect((await attempt(world, 993, name)).ended).toMatch(LOGGED_IN);
});

test('an authority below another one is enough, with and without the one above', async () => {
  const below = await ClientAuthority.make('Our users in Graz', authority);
  const user = showing(await below.issue(['alice@example.test']));
  await using narrow = await open(below);
  expect((await attempt(narrow, 993, user)).ended).toMatch(LOGGED_IN);
  expect((await attempt(narrow, 993, showing(alice))).offered).toBe(false);
  await using wide = await open();
  const chain = { ...user, cert: `${String(user.cert)}\n${below.certificate}` };
  expect((await attempt(wide, 993, chain)).ended).toMatch(LOGGED_IN);
});

test('authorities are read again with the certificates; open sessions live on', async () => {
  await using world = await open();
  const { here } = world;
  using before = await converse(here, 143, showing(alice));
  await writeFile(file(here.config), stranger.certificate);
  await here.running.reload(here.config);
  expect(await before.say('', 'EXTERNAL')).toMatch(LOGGED_IN);
  for (const gate of [993, 587] as const) {
    expect((await attempt(world, gate, showing(alice))).offered).toBe(false);
    expect((await attempt(world, gate, showing(await stranger.issue(['bob@example.test'])))).ended).toMatch(LOGGED_IN);
  }
  await writeFile(file(here.config), 'nothing');
  await expect(here.running.reload(here.config)).rejects.toThrow(file(here.config));
  expect((await attempt(world, 993, showing(await stranger.issue(['bob@example.test'])))).offered).toBe(true);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s: a certificate is shown each time, since no session is resumed',
  async (version) => {
    await using world = await open();
    const dial = async (more: ConnectionOptions): Promise<{ socket: TLSSocket; session: Buffer | undefined }> => {
      const socket = connect({
        port: world.here.port(993),
        rejectUnauthorized: false,
        maxVersion: version,
        ...showing(alice),
        ...more,
      });
      let session: Buffer | undefined;
      socket.on('session', (octets: Buffer) => {
        session = octets;
      });
      await new Promise((resolve) => socket.once('data', resolve));
      session ??= socket.getSession();
      return { socket, session };
    };
    const first = await dial({});
    first.socket.destroy();
    const second = await dial(first.session ? { session: first.session } : {});
    expect(second.socket.isSessionReused()).toBe(false);
    second.socket.destroy();
  },
);

test('what is wrong with a certificate is in the log', async () => {
  await using world = await open();
  const old = showing(await authority.issue(['alice@example.test'], { from: -2 * HOUR, until: -HOUR }));
  for (const gate of [465, 587, 993, 143] as const) await attempt(world, gate, old);
  expect(world.records.filter(({ flaw }) => flaw === 'CERT_HAS_EXPIRED')).toHaveLength(4);
});
