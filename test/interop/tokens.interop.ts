// curl with a token of OAuth 2.0 in place of a password: it sends over 465, reads over 993 and fetches over 995, by OAUTHBEARER
// and by XOAUTH2. The issuer is the tests' own, at another port of this machine.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AUDIENCE, Issuer, signed, signingKey } from '../directory/issuer.ts';
import { type Gate, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, program, run } from './foreign.ts';
import { authorityOf, message } from './mailbox.ts';

const curl = await program('curl', ['curl', '--version'], /^curl (\S+)/);
/** What curl ends with where a login was denied. */
const LOGIN_DENIED = 67;

cases([curl], () => {
  const key = signingKey('one');
  let folder: string;
  let issuer: Issuer;
  let server: Program;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-tokens-'));
    issuer = await Issuer.open();
    issuer.keys = [key.jwk];
    await writeFile(join(folder, 'issuer.pem'), issuer.identity.certificate);
    const settings = {
      issuer: issuer.url,
      jwks: `${issuer.url}/jwks`,
      audience: AUDIENCE,
      ca: join(folder, 'issuer.pem'),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
    server = await Program.start({ more: ['[oauth]', ...lines].join('\n'), logLevel: 'debug' });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const token = (user: number, more: object = {}): string =>
    signed(key, issuer.claims(Date.now(), { email: userAddress(user), ...more }));

  const call = (scheme: string, gate: Gate, path: string, user: number, bearer: string, ...more: string[]) =>
    run('curl', [
      ...['--silent', '--show-error', '--max-time', '30', '--cacert', authorityOf(server)],
      ...['--user', userAddress(user), '--oauth2-bearer', bearer, ...more],
      `${scheme}://localhost:${server.port(gate)}/${path}`,
    ]);

  test.each(['OAUTHBEARER', 'XOAUTH2'])('%s on 465, 993 and 995', async (mechanism) => {
    const options = ['--login-options', `AUTH=${mechanism}`];
    const file = join(folder, mechanism);
    const head = `From: <${userAddress(1)}>\r\nTo: <${userAddress(2)}>\r\nSubject: by ${mechanism}\r\n`;
    await writeFile(file, `${head}\r\nhello\r\n`);
    const envelope = ['--mail-from', userAddress(1), '--mail-rcpt', userAddress(2), '--upload-file', file];
    const succeeds = ({ code, stdout, said }: Finished): string => {
      expect(code, said).toBe(0);
      return stdout.toString();
    };
    succeeds(await call('smtps', 465, 'client.test', 1, token(1), ...options, ...envelope));
    const octets = await message(server, 2, `by ${mechanism}`);
    expect(succeeds(await call('imaps', 993, 'INBOX', 2, token(2), ...options, '--request', 'SEARCH ALL'))).toMatch(
      /^\* SEARCH \d/m,
    );
    const last = succeeds(await call('pop3s', 995, '', 2, token(2), ...options))
      .trim()
      .split(/\r?\n/).length;
    expect(succeeds(await call('pop3s', 995, String(last), 2, token(2), ...options))).toContain(octets);
  });

  test('left to itself curl takes a token to one of them', async () => {
    expect((await call('imaps', 993, '', 1, token(1))).code).toBe(0);
  });

  test.each<[string, () => string]>([
    ['that has expired', () => token(1, { exp: Math.floor(Date.now() / 1000) - 3_600 })],
    ["of another's", () => token(2)],
    ['for another service', () => token(1, { aud: 'https://other.test' })],
  ])('a token %s is refused, and nobody writes it down', async (_, made) => {
    const bearer = made();
    for (const [scheme, gate] of [
      ['imaps', 993],
      ['pop3s', 995],
    ] as const) {
      expect((await call(scheme, gate, '', 1, bearer)).code).toBe(LOGIN_DENIED);
    }
    expect(server.output.join('\n')).toMatch(/token/);
    expect(server.output.join('\n')).not.toContain(bearer.slice(-40));
  });
});
