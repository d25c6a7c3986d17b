// Load from smtp-source and to smtp-sink, which fails as it is told: nothing is lost, and nothing comes twice that was
// acknowledged once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postern } from '../cli/postern.ts';
import { SmtpClient } from '../clients/smtp.ts';
import { freePorts, Postfix } from '../process/postfix.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { SmtpSink } from '../process/smtp-sink.ts';
import { cases, program, succeed } from './foreign.ts';
import { authorityOf, everything } from './mailbox.ts';

const postfix = await program('postfix', ['postconf', '-d', '-h', 'mail_version'], /^(\d\S*)/);
/** A part of Postfix, which does not tell its version. */
const sink = { ...postfix, name: 'smtp-sink' };

/** Messages from smtp-source; through a satellite, which logs in for each of them; and to each faulty smtp-sink. */
const MANY = 2_000;
const SOME = 300;
const FEW = 50;
/** ms for what takes long where the machine has other work, too. */
const LONG = 180_000;

/** `taken`: as it is. `again`: whatever the sink has seen was not acknowledged, and comes once more when it is well.
 * `returned`: a report for each comes back. */
type Fate = 'taken' | 'again' | 'returned';

const FAULTS: readonly (readonly [options: string, what: string, fate: Fate])[] = [
  ['-e', 'no EHLO', 'taken'],
  ['-p', 'no PIPELINING', 'taken'],
  ['-P', 'a PIX firewall, which masks the greeting', 'taken'],
  ['-W .:1', 'a second to acknowledge', 'taken'],
  ['-r CONNECT', '4yz instead of a greeting', 'again'],
  ['-r MAIL', '4yz to MAIL', 'again'],
  ['-r RCPT', '4yz to RCPT', 'again'],
  ['-r DATA', '4yz to DATA', 'again'],
  ['-r .', '4yz at the end of the content', 'again'],
  ['-Q RCPT', '421 to RCPT, and a close', 'again'],
  ['-Q .', '421 at the end of the content, and a close', 'again'],
  ['-q CONNECT', 'a close instead of a greeting', 'again'],
  ['-q MAIL', 'a close instead of an answer to MAIL', 'again'],
  ['-q DATA', 'a close instead of an answer to DATA', 'again'],
  ['-q .', 'a close instead of an answer to the content', 'again'],
  ['-f MAIL', '5yz to MAIL', 'returned'],
  ['-f RCPT', '5yz to RCPT', 'returned'],
  ['-f .', '5yz at the end of the content', 'returned'],
  ['-A 0', '550 and a close within the content', 'returned'],
];

/** How often each message is there, by its number. */
function counted(all: readonly string[], pattern: RegExp): Map<string, number> {
  const counts = new Map<string, number>();
  for (const octets of all) {
    const number = pattern.exec(octets)?.[1] ?? 'another';
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return counts;
}
const once = (count: number): Map<string, number> =>
  new Map(Array.from({ length: count }, (_, index) => [String(index), 1] as const));
const sorted = (counts: Map<string, number>): Map<string, number> =>
  new Map([...counts].sort(([one], [other]) => Number(one) - Number(other)));

/** Waits until nothing waits any more; what was put off, or is just being put off, is tried again until then. */
async function emptied(server: Program): Promise<void> {
  const verb = (...args: string[]) => postern(['--config', server.config, 'queue', ...args], { cwd: server.folder });
  while (!(await verb('status')).stdout.startsWith('0 entries')) {
    // What was learnt of hosts that did not answer is forgotten, too.
    await verb('retry', '--all');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

cases([sink, postfix], () => {
  describe('smtp-source', () => {
    const stack = new AsyncDisposableStack();
    let server: Program;
    let satellite: Postfix;
    let host: SmtpSink;
    let entry = 0;

    beforeAll(async () => {
      const [far = 0, near = 0] = await freePorts(2);
      entry = near;
      host = stack.use(await SmtpSink.start(far));
      const more = `[[relay.route]]\ndomain = "sink.test"\nhost = "127.0.0.1"\nport = ${far}`;
      server = stack.use(await Program.start({ more }));
      satellite = stack.use(
        await Postfix.start({
          main: [
            'myhostname = satellite.example.test',
            'mynetworks = 127.0.0.0/8',
            'smtpd_relay_restrictions = permit_mynetworks, reject',
            `relayhost = [localhost]:${server.port(587)}`,
            'smtp_host_lookup = native',
            'smtp_dns_support_level = disabled',
            'smtp_tls_security_level = secure',
            'smtp_tls_secure_cert_match = localhost',
            `smtp_tls_CAfile = ${authorityOf(server)}`,
            'smtp_sasl_auth_enable = yes',
            'smtp_sasl_security_options = noanonymous',
            'smtp_sasl_password_maps = hash:@FOLDER@/etc/passwords',
          ],
          tables: { passwords: `[localhost]:${server.port(587)} ${userAddress(1)}:${PASSWORD}\n` },
          listeners: [{ port: near }],
        }),
      );
    });
    afterAll(() => stack.disposeAsync());

    const source = (port: number, count: number, from: string, to: string): Promise<Buffer> => {
      const load = ['-d', '-s', '20', '-m', String(count), '-l', '2000'];
      return succeed('smtp-source', [...load, '-f', from, '-t', to, `127.0.0.1:${port}`]);
    };
    /** Each of its messages has an id of its own. */
    const ids = (all: readonly string[]): Map<string, number> => counted(all, /^Message-Id: (<\S+>)\r?$/im);

    test(`${MANY} messages into port 25 are in the mailbox, once each`, async () => {
      await source(server.port(25), MANY, 'load@other.test', userAddress(2));
      const found = ids(await everything(server, 2));
      expect(found.size).toBe(MANY);
      expect(new Set(found.values())).toEqual(new Set([1]));
    });

    test(
      `${SOME} messages through a satellite and 587 to smtp-sink, once each`,
      async () => {
        await source(entry, SOME, userAddress(1), 'x@sink.test');
        await expect.poll(async () => (await host.transactions()).length, { timeout: LONG, interval: 500 }).toBe(SOME);
        await emptied(server);
        const found = ids(await host.transactions());
        expect(found.size).toBe(SOME);
        expect(new Set(found.values())).toEqual(new Set([1]));
        expect(await satellite.log()).not.toMatch(/status=(?:bounced|deferred)/);
      },
      LONG,
    );
  });

  describe('smtp-sink', () => {
    const stack = new AsyncDisposableStack();
    /** By number of the fault: while it fails, and when it is well. */
    const before: string[][] = [];
    const after: string[][] = [];
    let reports: string[] = [];

    beforeAll(async () => {
      const ports = await freePorts(FAULTS.length);
      const faulty = await Promise.all(
        FAULTS.map(([options], index) => SmtpSink.start(ports[index] ?? 0, options.split(' '))),
      );
      for (const one of faulty) stack.use(one);
      const deferred = new Set<number>();
      const tried = Promise.withResolvers<void>();
      const wanted = FAULTS.filter(([, , fate]) => fate === 'again').length;
      const hear = (line: string): void => {
        const number = /"recipient":"x@fault(\d+)\.test".*"msg":"deferred"/.exec(line)?.[1];
        if (number === undefined) return;
        deferred.add(Number(number));
        if (deferred.size === wanted) tried.resolve();
      };
      const routes = ports.map(
        (port, index) => `[[relay.route]]\ndomain = "fault${index}.test"\nhost = "127.0.0.1"\nport = ${port}`,
      );
      const more = ['[queue]', 'retry = ["1h"]', ...routes].join('\n');
      const server = stack.use(await Program.start({ more, logLevel: 'info', onLine: hear }));
      const door = { port: server.port(465), tls: 'implicit' } as const;
      using client = await SmtpClient.open(door, { user: userAddress(1), password: PASSWORD });
      const recipients = FAULTS.map((_, index) => `x@fault${index}.test`);
      for (let number = 0; number < FEW; number++) {
        const content = `From: <${userAddress(1)}>\r\nSubject: number ${number}\r\n\r\n${'x'.repeat(500)}\r\n.\r\n`;
        await client.send(userAddress(1), recipients, content);
      }
      await client.quit();
      await tried.promise;
      for (const [index, [, , fate]] of FAULTS.entries()) {
        if (fate !== 'again') continue;
        before[index] = (await faulty[index]?.transactions()) ?? [];
        await faulty[index]?.[Symbol.asyncDispose]();
        const well = stack.use(await SmtpSink.start(ports[index] ?? 0));
        faulty[index] = well;
      }
      await emptied(server);
      for (const [index] of FAULTS.entries()) after[index] = (await faulty[index]?.transactions()) ?? [];
      reports = await everything(server, 1);
    }, LONG);
    afterAll(() => stack.disposeAsync());

    test.each(FAULTS.map(([options, what, fate], index) => ({ options, what, fate, index })))(
      '$options, $what: $fate',
      ({ fate, index }) => {
        if (fate !== 'returned') {
          expect(sorted(counted(after[index] ?? [], /^Subject: number (\d+)$/m))).toEqual(once(FEW));
          return;
        }
        const about = reports.filter((octets) => octets.includes(`rfc822; x@fault${index}.test`));
        expect(sorted(counted(about, /^Subject: number (\d+)\r$/m))).toEqual(once(FEW));
      },
    );

    test('there is no report but on what was refused', () => {
      const returned = FAULTS.flatMap(([, , fate], index) => (fate === 'returned' ? [`x@fault${index}.test`] : []));
      const named = reports.flatMap((octets) =>
        [...octets.matchAll(/rfc822; (\S+)/g)].map(([, address = '']) => address),
      );
      expect([...new Set(named)].sort()).toEqual(returned.sort());
    });
  });
});
