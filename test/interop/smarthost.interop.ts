// Postfix as the smarthost (PORTS.md H5), with Dovecot for its passwords: 587 by STARTTLS and 465 by implicit TLS, with a
// certificate of an authority of its own, SCRAM, PLAIN and LOGIN, and a password that is wrong.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postern } from '../cli/postern.ts';
import { startDovecotAuth } from '../process/dovecot-auth.ts';
import { freePorts, Postfix } from '../process/postfix.ts';
import { Program, userAddress } from '../process/program.ts';
import { cases, program } from './foreign.ts';

const postfix = await program('postfix', ['postconf', '-d', '-h', 'mail_version'], /^(\d\S*)/);
const dovecot = await program('dovecot', ['dovecot', '--version'], /^(\S+)/);
const openssl = await program('openssl', ['openssl', 'version'], /OpenSSL (\S+)/);

const USER = 'satellite@provider.test';
const PASSWORD = 'p,a=ss wörd';

cases([dovecot, postfix, openssl], () => {
  const stack = new AsyncDisposableStack();
  let provider: Postfix;
  let server: Program;
  beforeAll(async () => {
    const [submission = 0, submissions = 0] = await freePorts(2);
    const sasl = ['smtpd_sasl_auth_enable=yes', 'smtpd_relay_restrictions=permit_sasl_authenticated,reject'];
    provider = stack.use(
      await Postfix.start({
        main: [
          'myhostname = smtp.provider.test',
          'default_transport = discard',
          'smtpd_sasl_type = dovecot',
          'smtpd_sasl_path = @FOLDER@/queue/private/auth',
          'smtpd_sasl_security_options = noanonymous',
        ],
        listeners: [
          { port: submission, options: ['smtpd_tls_security_level=encrypt', ...sasl] },
          { port: submissions, options: ['smtpd_tls_wrappermode=yes', ...sasl] },
        ],
      }),
    );
    const socket = join(provider.folder, 'queue/private/auth');
    const mechanisms = 'plain login scram-sha-256';
    stack.use(await startDovecotAuth({ socket, mechanisms, user: USER, password: PASSWORD }));
    const wrong = `smtp://stranger:wrong@localhost:${submission}`;
    const routes: Record<string, readonly string[]> = {
      'scram-587.test': [`smtp://localhost:${submission}`],
      'scram-465.test': [`smtps://localhost:${submissions}`],
      'plain.test': [`smtp://127.0.0.1:${submission}`],
      'fallback.test': [wrong, `smtps://localhost:${submissions}`],
      'wrong.test': [wrong],
    };
    server = stack.use(
      await Program.start({
        logLevel: 'info',
        more: [
          '[relay]',
          `ca = ${JSON.stringify(join(provider.folder, 'etc/cert.pem'))}`,
          ...Object.entries(routes).flatMap(([domain, urls]) => [
            '[[relay.route]]',
            `domain = "${domain}"`,
            `smarthost = ${JSON.stringify(urls)}`,
          ]),
          ...['localhost', '127.0.0.1'].flatMap((host) => [
            '[[relay.credentials]]',
            `host = "${host}"`,
            `user = "${USER}"`,
            `password = ${JSON.stringify(PASSWORD)}`,
            ...(host === 'localhost' ? [] : ['mechanism = "PLAIN"']),
          ]),
        ].join('\n'),
      }),
    );
  });
  afterAll(() => stack.disposeAsync());

  const send = (domain: string) =>
    postern(['--config', server.config, 'sendmail', '-f', userAddress(1), `you@${domain}`], {
      cwd: server.folder,
      input: 'Subject: through a provider\n\nhello\n',
    });

  test.each([
    ['scram-587.test', 'SCRAM-SHA-256'],
    ['scram-465.test', 'SCRAM-SHA-256'],
    ['plain.test', 'PLAIN'],
    // The first host does not take its login.
    ['fallback.test', 'SCRAM-SHA-256'],
  ])('%s goes by %s', async (domain, method) => {
    expect((await send(domain)).code).toBe(0);
    await expect.poll(() => provider.log()).toMatch(new RegExp(`to=<you@${domain}>.*status=sent`));
    const log = await provider.log();
    const id = new RegExp(`(\\w+): to=<you@${domain}>.*status=sent`).exec(log)?.[1];
    expect(log).toMatch(new RegExp(`${id}: client=.*sasl_method=${method}, sasl_username=${USER}`));
  });

  test('a wrong password: the message waits, and the log says why', async () => {
    expect((await send('wrong.test')).code).toBe(0);
    const list = () => postern(['--config', server.config, 'queue', 'list', '--json'], { cwd: server.folder });
    await expect.poll(async () => (await list()).stdout).toContain('535');
    expect(server.output.join('\n')).toContain('login refused');
    expect(server.output.join('\n')).not.toContain(PASSWORD);
  });
});
