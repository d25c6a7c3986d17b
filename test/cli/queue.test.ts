// The verbs `send` and `queue`: a message from the command line, what waits of it for another server, and an operator's hand
// on that, through the running server and without one.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ImapClient } from '../clients/imap.ts';
import { SmtpClient } from '../clients/smtp.ts';
import { PASSWORD, Program, userAddress, userName } from '../process/program.ts';
import { scriptedPeer, Wire } from '../wire.ts';
import { linesOf, postern, type RunOptions } from './postern.ts';

let program: Program;
let peer: Wire;
let busy = true;

const [alice, bob] = [userAddress(1), userAddress(2)];

beforeAll(async () => {
  peer = await Wire.open();
  const route = (domain: string) =>
    `[[relay.route]]\ndomain = "${domain}"\nhost = "127.0.0.1"\nport = ${peer.port}\ntls = "none"`;
  program = await Program.start({ more: [route('one.test'), route('two.test')].join('\n') });
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await peer[Symbol.asyncDispose]();
});

/** The next server answers the next connections like this. */
function answers(connections: number): void {
  for (let each = 0; each < connections; each++) {
    peer.instead.push(
      scriptedPeer((line) => {
        if (line.startsWith('RCPT') && busy) return '451 4.7.1 try later \u001b[31m';
        if (line.startsWith('DATA')) return '354 go on';
        return line.startsWith('QUIT') ? '221 bye' : '250 ok';
      }),
    );
  }
}

const run = (args: readonly string[], options?: RunOptions) =>
  postern(['--config', program.config, ...args], { cwd: program.folder, ...options });

async function inbox(user: string): Promise<string[]> {
  using client = await ImapClient.open({ port: program.port(993), tls: 'implicit' }, { user, password: PASSWORD });
  return (await client.messages('INBOX')).map(String);
}

interface Entry {
  readonly id: number;
  readonly recipient: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextAt: number;
}

async function entries(...more: readonly string[]): Promise<Entry[]> {
  const { code, stdout, stderr } = await run(['queue', 'list', '--json', ...more]);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

/** Looks until it holds; the queue works in the background. */
async function until(holds: (entries: Entry[]) => boolean): Promise<Entry[]> {
  for (;;) {
    const now = await entries();
    if (holds(now)) return now;
  }
}

it('sends to a mailbox here: text from an argument or standard input, files, several recipients', async () => {
  const file = join(program.folder, 'https:');
  await writeFile(file, 'attached text');
  const sent = await run([
    'send',
    '--from',
    alice,
    '--to',
    bob,
    alice,
    '--subject',
    'Grüße',
    '--body',
    'Hello.',
    '--attach',
    'https:',
  ]);
  expect(sent).toMatchObject({ code: 0, stderr: '' });
  expect(sent.stdout).toContain(bob);
  expect((await run(['send', '--from', alice, '--to', bob], { input: 'From standard input.\n' })).code).toBe(0);
  // Whoever they are called, the configuration knows their password.
  for (const from of [`Al Ice <${alice}>`, 'postmaster@example.test']) {
    expect(await run(['send', '--from', from, '--to', bob, '--body', 'x']), from).toMatchObject({
      code: 0,
      stderr: '',
    });
  }
  const [first = '', second = ''] = await inbox(bob);
  expect(first).toMatch(/^Subject: =\?UTF-8\?/im);
  expect(first).toContain('Hello.');
  expect(first).toContain(Buffer.from('attached text').toString('base64'));
  expect(second).toContain('From standard input.');
  expect(await inbox(alice)).toHaveLength(1);
});

it.each([
  ['somebody who is not here', ['--to', 'nobody@example.test'], {}, 'nobody@example.test'],
  ['a sender that is not theirs', ['--from', bob, '--user', alice, '--to', bob], {}, ''],
  ['a file that is not there', ['--to', bob, '--attach', 'missing.txt'], {}, 'missing.txt'],
  ['a folder', ['--to', bob, '--attach', 'postern.toml', 'data'], {}, 'data'],
  ['a file that cannot be read', ['--to', bob, '--attach', 'postern.toml/x'], {}, 'postern.toml/x'],
  [
    'a user with a wrong password',
    ['--user', 'stranger@example.test', '--to', bob],
    { POSTERN_PASSWORD: 'wr0ng-one' },
    '',
  ],
])('does not send: %s', async (_, args, env, named) => {
  const from = args.includes('--from') ? [] : ['--from', alice];
  const ended = await run(['send', ...from, '--body', 'x', ...args], { env });
  expect([ended.code, ended.stdout]).toEqual([1, '']);
  expect(linesOf(ended.stderr)).toHaveLength(1);
  expect(ended.stderr).toContain(named);
  expect(ended.stderr + program.output.join('\n')).not.toContain('wr0ng-one');
});

it('asks for a password where there is nobody to ask', async () => {
  const ended = await run(['send', '--from', 'carol@example.test', '--to', bob, '--body', 'x']);
  expect([ended.code, ended.stdout]).toEqual([2, '']);
  expect(ended.stderr).toContain('POSTERN_PASSWORD');
});

it('nothing waits in an empty queue', async () => {
  expect(await entries()).toEqual([]);
  expect(await run(['queue', 'list'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\w[^\n]+\n$/) });
  expect(await run(['queue', 'retry', '--all'])).toMatchObject({ code: 0, stderr: '' });
});

it('what another server does not take yet waits, and can be looked at', async () => {
  answers(10);
  const to = ['a@one.test', 'b@one.test', 'c@two.test'];
  expect((await run(['send', '--from', alice, '--to', ...to, '--body', 'x'])).code).toBe(0);
  const waiting = await until((now) => now.length === 3 && now.every(({ attempts }) => attempts > 0));
  expect(waiting.map(({ recipient }) => recipient).sort()).toEqual(to);
  expect((await entries('--domain', 'TWO.test')).map(({ recipient }) => recipient)).toEqual(['c@two.test']);
  expect(await entries('--domain', 'three.test')).toEqual([]);
  const { stdout: table } = await run(['queue', 'list']);
  expect(linesOf(table)).toHaveLength(4);
  expect(table).toContain('451 4.7.1');
  // What the other server said does nothing to this terminal.
  expect(table).not.toContain('\u001b');

  const [first] = waiting;
  const shown = await run(['queue', 'show', String(first?.id)]);
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain(first?.recipient);
  expect(shown.stdout).toContain('451 4.7.1');
  expect(shown.stdout).not.toContain('\u001b');
  const value = JSON.parse((await run(['queue', 'show', String(first?.id), '--json'])).stdout);
  expect(value).toMatchObject({ id: first?.id, message: { reversePath: alice }, attempts: [{ host: '127.0.0.1' }] });
  const { transcript } = value.attempts[0];
  expect(transcript[0]).toMatch(/^S: 220 /);
  expect(transcript).toContain(`C: RCPT TO:<${first?.recipient}>`);
  expect(shown.stdout).toContain(`C: RCPT TO:<${first?.recipient}>`);
  expect(await run(['queue', 'show', '999999'])).toMatchObject({ code: 1, stdout: '' });
});

it('a retry is at once: those named, those of a domain, or all', async () => {
  busy = false;
  answers(10);
  const [first] = await entries('--domain', 'one.test');
  expect((await run(['queue', 'retry', String(first?.id)])).code).toBe(0);
  const left = await until((now) => now.length === 2);
  expect(left.some(({ id }) => id === first?.id)).toBe(false);
  expect((await run(['queue', 'retry', '--domain', 'One.test'])).code).toBe(0);
  await until((now) => now.length === 1);
  expect(await run(['queue', 'retry', '999999'])).toMatchObject({ code: 1 });
});

it('holds and releases by filter, suspends and resumes a domain, over a restart', async () => {
  busy = true;
  answers(10);
  expect((await run(['send', '--from', alice, '--to', 'h@one.test', 'i@two.test', '--body', 'x'])).code).toBe(0);
  await until((now) => now.length === 3 && now.every(({ attempts }) => attempts > 0));
  const states = async () => (await entries()).map(({ recipient, state }) => `${recipient} ${state}`).sort();
  const held = await run(['queue', 'hold', '--recipient', 'I@two.test', '--older', '0s', '--json']);
  expect(JSON.parse(held.stdout)).toEqual({ changed: 1 });
  expect(await run(['queue', 'hold', '--sender', '<>'])).toMatchObject({ code: 0 });
  expect((await run(['queue', 'suspend', 'One.test'])).code).toBe(0);
  expect((await run(['send', '--from', alice, '--to', 'j@one.test', '--body', 'x'])).code).toBe(0);
  const expected = ['c@two.test waiting', 'h@one.test suspended', 'i@two.test held', 'j@one.test suspended'];
  expect(await states()).toEqual(expected);
  expect((await entries('--state', 'held')).map(({ recipient }) => recipient)).toEqual(['i@two.test']);
  expect((await entries('--sender', '@example.test', '--state', 'suspended')).length).toBe(2);
  const port = program.port(465);
  expect(await program.stop()).toBe(0);
  expect(await states()).toEqual(expected);
  await program.start();
  expect(await states()).toEqual(expected);
  const status = JSON.parse((await run(['queue', 'status', '--json'])).stdout);
  expect(status).toMatchObject({ entries: 4, suspended: [{ destination: 'one.test' }], states: { held: 1 } });
  expect((await run(['queue', 'status'])).stdout).toContain('one.test');
  const [suspended] = await entries('--domain', 'one.test');
  const shown = await run(['queue', 'show', String(suspended?.id)]);
  // Accepted from whom, by which port.
  expect(shown.stdout).toContain(alice);
  expect(shown.stdout).toContain(`port ${port}`);
  busy = false;
  answers(10);
  expect((await run(['queue', 'resume', 'one.test'])).code).toBe(0);
  await until((now) => !now.some(({ recipient }) => recipient === 'j@one.test'));
  expect((await run(['queue', 'retry', '--domain', 'one.test'])).code).toBe(0);
  await until((now) => now.every(({ recipient }) => recipient.endsWith('two.test')));
  expect((await run(['queue', 'release', '--state', 'held'])).code).toBe(0);
  expect((await run(['queue', 'retry', '--recipient', '@two.test'])).code).toBe(0);
  await until((now) => now.length === 0);
  busy = true;
  answers(1);
  expect((await run(['send', '--from', alice, '--to', 'c@two.test', '--body', 'x'])).code).toBe(0);
  await until((now) => now.length === 1 && now.every(({ attempts }) => attempts > 0));
});

it('whose reader has seen enough of a long list ends, and says nothing', async () => {
  await run(['queue', 'suspend', 'one.test']);
  const many = Array.from({ length: 300 }, (_, at) => `${'r'.repeat(60)}${at}@one.test`);
  expect((await run(['send', '--from', alice, '--to', ...many, '--body', 'x'])).code).toBe(0);
  const shell = ['-c', '{ "$0" "$@"; echo "ended with $?" >&2; } | true', process.execPath];
  for (const more of [[], ['--json']]) {
    const ended = await run(['queue', 'list', ...more], { executable: 'sh', node: shell });
    expect(ended).toMatchObject({ stdout: '', stderr: 'ended with 0\n' });
  }
  await run(['queue', 'remove', '--domain', 'one.test']);
  await run(['queue', 'resume', 'one.test']);
});

it('without a server the queue is the same, and a removal is nobody told of', async () => {
  busy = true;
  answers(10);
  const before = (await inbox(alice)).length;
  expect((await run(['send', '--from', alice, '--to', 'd@one.test', 'e@one.test', '--body', 'x'])).code).toBe(0);
  const waiting = await until((now) => now.length === 3 && now.every(({ attempts }) => attempts > 0));
  expect(await program.stop()).toBe(0);
  expect((await entries()).map(({ id }) => id)).toEqual(waiting.map(({ id }) => id));
  expect((await run(['queue', 'show', String(waiting[0]?.id)])).code).toBe(0);
  expect((await run(['queue', 'remove', String(waiting[0]?.id), String(waiting[1]?.id)])).code).toBe(0);
  expect(await entries()).toHaveLength(1);
  expect((await run(['queue', 'retry', '--all'])).code).toBe(0);
  expect((await run(['queue', 'remove', '--all'])).code).toBe(0);
  expect(await entries()).toEqual([]);
  // Nor can anything be sent now.
  expect(await run(['send', '--from', alice, '--to', bob, '--body', 'x'])).toMatchObject({ code: 1, stdout: '' });
  await program.start();
  expect(await inbox(alice)).toHaveLength(before);
});

it('shows what a sender has asked for, and what waits in the spool where no server runs', async () => {
  using client = await SmtpClient.open(
    { port: program.port(465), tls: 'implicit' },
    { user: userName(1), password: PASSWORD },
  );
  const asked = ' HOLDFOR=3600 BY=7200;RT MT-PRIORITY=3 RET=HDRS';
  await client.sendChunks(
    alice,
    ['k@one.test', 'k@xn--bcher-kva.test'],
    [Buffer.from(`From: <${alice}>\r\n\r\nx\r\n`)],
    asked,
  );
  const [held] = await entries('--recipient', 'k@one.test');
  // However an address is written.
  expect(await entries('--recipient', '"k"@b\u00FCcher.test')).toHaveLength(1);
  const shown = (await run(['queue', 'show', String(held?.id)])).stdout;
  for (const name of ['DELIVERBY', 'MT-PRIORITY', 'RET']) expect(shown).toContain(name);
  const until = new Date(held?.nextAt ?? 0).toISOString().slice(0, 19).replace('T', ' ');
  expect(shown.split('\n').filter((line) => line.startsWith('asked') && line.includes(until))).toHaveLength(1);
  await program.stop();
  expect((await run(['sendmail', '-i', bob, 'l@one.test'], { input: 'Subject: spooled\n\nx\n' })).code).toBe(0);
  const spooled = (await entries()).filter(({ state }) => state === 'spooled');
  expect(spooled).toMatchObject([
    { recipients: [bob, 'l@one.test'], spooled: expect.stringMatching(/^[0-9a-z]{12}$/) },
  ]);
  const { stdout } = await run(['queue', 'list']);
  expect(stdout).toContain(String((spooled[0] as unknown as { spooled: string }).spooled));
  expect(stdout).toContain('k@one.test');
  expect((await entries('--domain', 'one.test')).map(({ state }) => state)).toEqual(['waiting']);

  // Nobody has it leave before its time but who means it.
  const due = async () => (await entries('--recipient', 'k@one.test')).map(({ nextAt, state }) => [nextAt, state]);
  expect((await run(['queue', 'retry', '--all'])).code).toBe(0);
  expect((await run(['sendmail', '-q'])).code).toBe(0);
  expect(await due()).toEqual([[held?.nextAt, 'waiting']]);
  expect((await run(['queue', 'hold', String(held?.id)])).code).toBe(0);
  expect((await run(['sendmail', '-q'])).code).toBe(0);
  expect(await due()).toEqual([[held?.nextAt, 'held']]);
  expect((await run(['queue', 'retry', String(held?.id)])).code).toBe(0);
  expect(await due()).toEqual([[expect.any(Number), 'waiting']]);
  expect(await due()).not.toEqual([[held?.nextAt, 'waiting']]);
});
