// Logging in by a token of OAuth 2.0 (OAUTHBEARER, XOAUTH2) on every port that knows users: the local issuer's tokens open the
// mailbox of whom they name, failures are told of in JSON, and no token is ever written down.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LineSocket } from '../clients/line-socket.ts';
import { Issuer, signed, signingKey, unsigned } from '../directory/issuer.ts';
import { createWorld, type World } from '../world.ts';

type Gate = 465 | 993 | 995;

const key = signingKey('one');
const stranger = signingKey('one');

let issuer: Issuer;
beforeAll(async () => {
  issuer = await Issuer.open();
  issuer.keys = [key.jwk];
});
afterAll(() => issuer[Symbol.asyncDispose]());

function open(kind: 'jwks' | 'introspection' | null): Promise<World> {
  return createWorld({
    configure: (config) => {
      const ca = join(config.data, '../issuer.pem');
      return { ...config, oauth: kind && issuer.config(kind, { scope: 'mail', authorities: [ca] }) };
    },
    before: (config) => writeFile(join(config.data, '../issuer.pem'), issuer.identity.certificate),
  });
}

const AUTH: Record<Gate, string> = { 465: 'AUTH', 993: 'a AUTHENTICATE', 995: 'AUTH' };
const HELLO: Record<Gate, readonly [string, RegExp]> = {
  465: ['EHLO client.test', /^250 /],
  993: ['c CAPABILITY', /^c OK/],
  995: ['CAPA', /^\.$/],
};
const LOGGED_IN = /^(?:235 2\.7\.0|a OK \[CAPABILITY|\+OK \d+ messages)/;
const REFUSED = /^(?:535 5\.7\.8|a NO \[AUTHENTICATIONFAILED\]|-ERR \[AUTH\])/;
const UNAVAILABLE = /^(?:454 4\.7\.0|a NO \[UNAVAILABLE\]|-ERR \[SYS\/TEMP\])/;

/** A whole login; `challenge` is what was said between. */
async function login(world: World, gate: Gate, mechanism: string, response: string) {
  const link = await LineSocket.open({ port: world.here.port(gate), tls: 'implicit', tlsOptions: {} });
  const answer = async (line: string, last: RegExp): Promise<string> => {
    link.write(`${line}\r\n`);
    for (let said = ''; ; ) {
      const line = await link.line();
      said += `${line}\n`;
      if (last.test(line)) return said.trim();
    }
  };
  try {
    await link.line();
    const offered = await answer(...HELLO[gate]);
    const last = gate === 993 ? /^(?:\+|a) / : gate === 465 ? /^\d{3} / : /^(?:\+ |\+OK|-ERR)/;
    const base64 = Buffer.from(response).toString('base64');
    const first = await answer(`${AUTH[gate]} ${mechanism} ${base64}`, last);
    const challenge = /^(?:334|\+) (\S+)$/.exec(first)?.[1];
    if (challenge === undefined) return { offered, challenge: null, ended: first };
    const told: unknown = JSON.parse(Buffer.from(challenge, 'base64').toString());
    return { offered, challenge: told, ended: await answer(mechanism === 'XOAUTH2' ? '' : 'AQ==', last) };
  } finally {
    // A maildrop is locked until its session has ended at the server.
    if (gate === 995) link.write('QUIT\r\n');
    else link.destroy();
    await link.closed();
  }
}

const oauthbearer = (token: string, user: string | null = null) =>
  `n,${user === null ? '' : `a=${user}`},\x01host=localhost\x01port=993\x01auth=Bearer ${token}\x01\x01`;
const xoauth2 = (token: string, user = 'alice@example.test') => `user=${user}\x01auth=Bearer ${token}\x01\x01`;

describe.each([465, 993, 995] as const)('on %d', (gate) => {
  test('tokens that are signed by the issuer lead in, and others do not', async () => {
    await using world = await open('jwks');
    const now = world.clock.now();
    const claims = (more: object = {}) =>
      issuer.claims(now, { scope: 'mail', exp: Math.floor(now / 1000) + 86_400, ...more });
    const good = signed(key, claims());
    for (const [mechanism, said] of [
      ['OAUTHBEARER', oauthbearer(good)],
      ['OAUTHBEARER', oauthbearer(good, 'alice@example.test')],
      ['XOAUTH2', xoauth2(good)],
    ] as const) {
      const { offered, challenge, ended } = await login(world, gate, mechanism, said);
      expect(offered).toMatch(new RegExp(`\\b${mechanism}\\b`));
      expect(challenge).toBeNull();
      expect(ended).toMatch(LOGGED_IN);
    }
    const bad = [
      signed(key, claims({ exp: Math.floor(now / 1000) - 120 })),
      signed(key, claims({ aud: 'https://other.test' })),
      signed(stranger, claims()),
      unsigned(claims()),
    ];
    for (const token of bad) {
      const { challenge, ended } = await patiently(world, login(world, gate, 'OAUTHBEARER', oauthbearer(token)));
      expect(challenge).toEqual({
        status: 'invalid_token',
        scope: 'mail',
        'openid-configuration': `${issuer.url}/.well-known/openid-configuration`,
      });
      expect(ended).toMatch(REFUSED);
    }
    const other = await patiently(world, login(world, gate, 'XOAUTH2', xoauth2(good, 'bob@example.test')));
    expect(other).toMatchObject({ challenge: { status: '401' }, ended: expect.stringMatching(REFUSED) });
    const narrow = signed(key, claims({ scope: 'profile' }));
    const lacking = await patiently(world, login(world, gate, 'OAUTHBEARER', oauthbearer(narrow)));
    expect(lacking.challenge).toMatchObject({ status: 'insufficient_scope', scope: 'mail' });
    const log = JSON.stringify(world.records);
    for (const token of [good, narrow, ...bad]) expect(log).not.toContain(token.slice(token.lastIndexOf('.') - 20));
    expect(log).toMatch(/the token is for another account/);
  });

  test('tokens that the issuer is asked about', async () => {
    await using world = await open('introspection');
    issuer.known.set('opaque', issuer.claims(world.clock.now(), { active: true, scope: 'mail openid' }));
    expect((await login(world, gate, 'XOAUTH2', xoauth2('opaque'))).ended).toMatch(LOGGED_IN);
    const unknown = await login(world, gate, 'OAUTHBEARER', oauthbearer('unknown'));
    expect(unknown.ended).toMatch(REFUSED);
    issuer.answer = { status: 500, body: {} };
    try {
      expect((await login(world, gate, 'XOAUTH2', xoauth2('opaque'))).ended).toMatch(UNAVAILABLE);
    } finally {
      issuer.answer = null;
    }
    const log = JSON.stringify(world.records);
    expect(log).not.toMatch(/opaque|unknown\b(?!")/);
  });

  test('without an issuer nothing is offered', async () => {
    await using world = await open(null);
    const { offered, ended } = await login(world, gate, 'XOAUTH2', xoauth2('opaque'));
    expect(offered).not.toMatch(/OAUTH/);
    expect(ended).toMatch(/^(?:504|a NO|-ERR)/);
  });
});

/** Failures are answered late: time passes until they are. */
async function patiently<T>(world: World, login: Promise<T>): Promise<T> {
  let open = true;
  const done = login.finally(() => {
    open = false;
  });
  done.catch(() => undefined);
  while (open) {
    world.clock.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return await done;
}
