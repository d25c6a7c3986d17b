// The life of a server: ready, told to read again, asked how it is, told to stop; and what it is while another one, a full
// disk or a stuck client stands in the way.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { ImapClient } from '../clients/imap.ts';
import { SmtpClient } from '../clients/smtp.ts';
import { PASSWORD, Program, type ProgramOptions, userAddress } from '../process/program.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';
import { Wire } from '../wire.ts';
import { launch, linesOf, postern, type RunOptions } from './postern.ts';

const programs: Program[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const program of programs.splice(0)) await program[Symbol.asyncDispose]();
});

async function start(options: ProgramOptions = {}): Promise<Program> {
  const program = await Program.start(options);
  programs.push(program);
  return program;
}

const over = (program: Program, args: readonly string[], options?: RunOptions) =>
  postern(['--config', program.config, ...args], { cwd: program.folder, ...options });

const [alice, bob] = [userAddress(1), userAddress(2)];

async function imap(program: Program, password = PASSWORD): Promise<ImapClient> {
  const client = await ImapClient.open({ port: program.port(993), tls: 'implicit' }, { user: alice, password });
  sockets.push(client.link.socket);
  return client;
}

async function smtp(program: Program): Promise<SmtpClient> {
  const client = await SmtpClient.open(
    { port: program.port(465), tls: 'implicit' },
    { user: alice, password: PASSWORD },
  );
  sockets.push(client.link.socket);
  return client;
}

/** Resolves when a line of the log, now or later, has this in it. */
async function logged(program: Program, text: string, times = 1): Promise<void> {
  while (program.output.filter((line) => line.includes(text)).length < times) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('says where it listens, that it is ready, and answers for its health', async () => {
  const program = await start();
  const ports = await over(program, ['ports', '--json']);
  const gates = JSON.parse(ports.stdout);
  expect(gates.map(({ role, tls, auth }: Record<string, string>) => [role, tls, auth])).toEqual([
    ['transfer', 'offered', 'never'],
    ['submission', 'implicit', 'mandatory'],
    ['submission', 'required', 'mandatory'],
    ['imap', 'implicit', 'mandatory'],
    ['imap', 'required', 'mandatory'],
    ['pop3', 'implicit', 'mandatory'],
    ['pop3', 'required', 'mandatory'],
  ]);
  expect(gates[0].port).toBe(program.port(25));
  expect(Object.keys(gates[0].reasons).sort()).toEqual(['auth', 'role', 'tls']);
  expect((await over(program, ['ports'])).stdout).toContain(String(program.port(993)));
  expect(await over(program, ['health'])).toMatchObject({ code: 0, stderr: '' });
  expect(await program.stop()).toBe(0);
  expect(await over(program, ['health'])).toMatchObject({ code: 1, stdout: '' });
  // Without a server the table is that of the configuration.
  const planned = JSON.parse((await over(program, ['ports', '--json'])).stdout);
  expect(planned.map(({ port }: { port: number }) => port)).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

it('is not healthy while it does not answer', async () => {
  const program = await start();
  process.kill(program.pid, 'SIGSTOP');
  const ended = await over(program, ['health']);
  process.kill(program.pid, 'SIGCONT');
  // Who waits without end is killed, and has no code; so it is with every end below.
  expect([ended.code, ended.stdout]).toEqual([1, '']);
  expect((await over(program, ['health'])).code).toBe(0);
});

it('is healthy where a gate lets its clients wait for the greeting', async () => {
  const program = await start({
    more: '[[listener]]\nrole = "transfer"\nport = 0\ntls = "offered"\nearly_talker_wait = "30s"\n',
  });
  expect(await over(program, ['health'])).toMatchObject({ code: 0, stderr: '' });
});

it('ends with 0 in time when it is told to, with sessions open, idle, half-way and stuck', async () => {
  const program = await start();
  const idle = await imap(program);
  await idle.done('SELECT INBOX');
  await idle.idle();
  const waiting = await smtp(program);
  const halfway = await smtp(program);
  await halfway.command(`MAIL FROM:<${alice}>`, 250);
  await halfway.command(`RCPT TO:<${bob}>`, 250);
  await halfway.command('DATA', 354);
  halfway.link.write('Subject: never ends\r\n\r\n');
  // One in the middle of a handshake, one that says nothing, one that reads nothing of what it asks for.
  const silent = connect(program.port(993), '127.0.0.1');
  const mute = connect(program.port(25), '127.0.0.1');
  const deaf = connect(program.port(143), '127.0.0.1');
  const glutted = connect(program.port(110), '127.0.0.1');
  for (const socket of [deaf, glutted]) socket.pause();
  sockets.push(silent, mute, deaf, glutted);
  for (const socket of [silent, mute, deaf, glutted]) socket.on('error', () => undefined);
  await Promise.all([silent, mute, deaf, glutted].map((socket) => once(socket, 'connect')));
  deaf.write('a NOOP\r\n'.repeat(50_000));
  glutted.write('CAPA\r\n'.repeat(50_000));
  const farewell = (async () => {
    while (!(await idle.response()).text.startsWith('* BYE'));
  })();
  const goodbye = waiting.reply();
  // Behind five seconds it ends itself with another code.
  expect(await program.stop()).toBe(0);
  await farewell;
  expect((await goodbye).code).toBe(421);
});

it('ends in time while a next hop, too, is stuck', async () => {
  await using peer = await Wire.open();
  const connected = Promise.withResolvers<void>();
  const hold = (socket: Socket) => {
    sockets.push(socket);
    socket.write('220 peer.test ESMTP\r\n');
    socket.once('data', () => connected.resolve());
  };
  peer.instead.push(hold, hold);
  const program = await start({
    more: `[[relay.route]]\ndomain = "one.test"\nhost = "127.0.0.1"\nport = ${peer.port}\n`,
  });
  const halfway = await smtp(program);
  await halfway.send(alice, ['a@one.test'], 'Subject: stuck\r\n\r\n.\r\n');
  await halfway.command(`MAIL FROM:<${alice}>`, 250);
  await halfway.command(`RCPT TO:<${bob}>`, 250);
  await halfway.command('DATA', 354);
  await connected.promise;
  expect(await program.stop()).toBe(0);
  expect(JSON.parse((await over(program, ['queue', 'list', '--json'])).stdout)).toHaveLength(1);
});

it('signals during the start are for when it is over', async () => {
  const program = await start({ logLevel: 'info' });
  await program.stop();
  await rm(join(program.folder, 'certs'), { recursive: true });
  const child = spawn(process.execPath, [launch, 'serve', '--config', program.config], { cwd: program.folder });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      // The certificates are being made: nothing listens yet.
      if (said === '') {
        child.kill('SIGHUP');
        child.kill('SIGTERM');
      }
      said += text;
    });
  }
  const [code] = await once(child, 'exit');
  expect(code, said).toBe(0);
  expect(said).toContain('ready');
});

it('is told to end by way of npm: the shell of its script does not stand in between', async () => {
  const program = await start();
  await program.stop();
  const { scripts } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
  for (const script of [scripts.start, `${scripts.postern} serve`]) {
    const shell = spawn('sh', ['-c', script], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, POSTERN_CONFIG: program.config },
    });
    let said = '';
    for await (const text of shell.stdout.setEncoding('utf8')) {
      said += text;
      // What npm hands on reaches the process that it has started, and no other.
      if (/^ready$/m.test(said)) shell.kill('SIGTERM');
    }
    expect(shell.exitCode ?? (await once(shell, 'exit'))[0], said).toBe(0);
    expect((await over(program, ['health'])).code).toBe(1);
  }
});

it('keeps what it writes for its owner alone', async () => {
  const program = await start();
  const client = await smtp(program);
  await client.send(alice, [bob], 'Subject: private\r\n\r\nprivate\r\n.\r\n');
  const data = join(program.folder, 'data');
  const modes = async (folder: string) =>
    Promise.all((await readdir(folder)).map(async (name) => [name, (await stat(join(folder, name))).mode & 0o077]));
  expect((await modes(data)).filter(([, mode]) => mode !== 0)).toEqual([]);
  expect((await stat(data)).mode & 0o777).toBe(0o700);
  // But for the certificates, which are for whoever wants to trust them.
  const certificates = join(program.folder, 'certs');
  expect((await stat(certificates)).mode & 0o777).toBe(0o755);
  const open = (await modes(certificates)).filter(([, mode]) => mode !== 0).map(([name]) => name);
  expect(open.sort()).toEqual(['ca.pem', 'server-p256.pem', 'server-rsa.pem']);
});

it('an idle server ends, and a second signal changes nothing', async () => {
  const program = await start({ logLevel: 'info' });
  const { pid } = program;
  const stopped = program.stop('SIGINT');
  process.kill(pid, 'SIGINT');
  process.kill(pid, 'SIGTERM');
  expect(await stopped).toBe(0);
  await expect(stat(join(program.folder, 'data/postern.sock'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('keeps what it has answered 250, however it ends', async () => {
  const program = await start();
  const client = await smtp(program);
  await client.send(alice, [bob], 'Subject: kept\r\n\r\nkept\r\n.\r\n');
  await program.kill();
  // The socket of the dead lies there still; nobody is behind it.
  expect((await stat(join(program.folder, 'data/postern.sock'))).isSocket()).toBe(true);
  expect((await over(program, ['account', 'list'])).code).toBe(0);
  await program.start();
  using reader = await ImapClient.open({ port: program.port(993), tls: 'implicit' }, { user: bob, password: PASSWORD });
  expect((await reader.messages('INBOX')).map(String)).toEqual([expect.stringContaining('kept')]);
});

it('is the only one on its data: the second says so in one line, and issues nothing', async () => {
  const program = await start();
  const issued = () => readFile(join(program.folder, 'certs/server-p256.pem'), 'utf8');
  const before = await issued();
  const second = await over(program, ['serve'], { env: { POSTERN_HOSTNAME: 'mx.example.test' } });
  expect(await issued()).toBe(before);
  expect([second.code, second.stdout]).toEqual([1, '']);
  expect(linesOf(second.stderr)).toEqual([expect.stringContaining(join(program.folder, 'data'))]);
  expect((await over(program, ['health'])).code).toBe(0);
});

it('SIGHUP: accounts and certificates are read again, and sessions live on', async () => {
  const program = await start({ logLevel: 'info' });
  const [session, sender] = [await imap(program), await smtp(program)];
  const text = await readFile(program.config, 'utf8');
  const carol = '[[account]]\naddress = "carol@example.test"\npassword = "new here"\n';
  const changed = text.replace(`"${PASSWORD}"`, '"another"');
  await writeFile(program.config, `${changed}\n${carol}`);
  process.kill(program.pid, 'SIGHUP');
  await logged(program, 'accounts read again');
  await session.done('NOOP');
  await sender.send(alice, ['carol@example.test'], 'Subject: welcome\r\n\r\nHello.\r\n.\r\n');
  await expect(imap(program)).rejects.toThrow();
  (await imap(program, 'another'))[Symbol.dispose]();
  using newcomer = await ImapClient.open(
    { port: program.port(993), tls: 'implicit' },
    { user: 'carol@example.test', password: 'new here' },
  );
  expect(await newcomer.messages('INBOX')).toHaveLength(1);
  // A configuration that is wrong now changes nothing; the next one counts.
  await writeFile(program.config, 'nonsense');
  process.kill(program.pid, 'SIGHUP');
  await logged(program, 'not read again');
  await session.done('NOOP');
  await writeFile(program.config, text);
  process.kill(program.pid, 'SIGHUP');
  await logged(program, 'accounts read again', 2);
  (await imap(program))[Symbol.dispose]();
  expect(program.output.join('\n')).not.toContain('new here');
});

it('SIGHUP: accounts without a postmaster are not taken', async () => {
  const program = await start({ logLevel: 'info' });
  const text = await readFile(program.config, 'utf8');
  await writeFile(program.config, text.replace('postmaster@', 'someone@'));
  process.kill(program.pid, 'SIGHUP');
  await logged(program, 'not read again');
  expect(program.output.join('\n')).toContain('postmaster@example.test');
  // It moves, with the next file.
  await writeFile(
    program.config,
    `${text.replace('postmaster@', 'someone@')}\naliases = ["postmaster@example.test"]\n`,
  );
  process.kill(program.pid, 'SIGHUP');
  await logged(program, 'accounts read again');
  const client = await SmtpClient.open({ port: program.port(25) });
  sockets.push(client.link.socket);
  await client.command('MAIL FROM:<>', 250);
  await client.command('RCPT TO:<postmaster@example.test>', 250);
});

it('SIGHUP: own certificates are served to the next connection, and only if they can be used', async () => {
  const names = ['mail.example.test', 'localhost'] as const;
  const [first, second] = [await makeTestIdentity(...names), await makeTestIdentity(...names)];
  const program = await start({ logLevel: 'info' });
  await program.stop();
  const [pem, key] = [join(program.folder, 'own.pem'), join(program.folder, 'own.key')];
  await writeFile(pem, first.certificate);
  await writeFile(key, first.key);
  const files = `[tls]\ncertificate = ${JSON.stringify(pem)}\nkey = ${JSON.stringify(key)}`;
  await writeFile(program.config, (await readFile(program.config, 'utf8')).replace('[tls]', files));
  await program.start();
  /** Connects, and trusts one certificate only. */
  const visit = async (certificate: string) => {
    const client = connectTls({ port: program.port(993), host: '127.0.0.1', servername: names[0], ca: certificate });
    sockets.push(client);
    await once(client, 'secureConnect');
    return client;
  };
  const kept = await visit(first.certificate);
  await writeFile(key, second.key);
  process.kill(program.pid, 'SIGHUP');
  await logged(program, 'not read again');
  (await visit(first.certificate)).destroy();
  await writeFile(pem, second.certificate);
  process.kill(program.pid, 'SIGHUP');
  await logged(program, 'certificates read again');
  (await visit(second.certificate)).destroy();
  await expect(visit(first.certificate)).rejects.toThrow();
  const answered = once(kept, 'data');
  kept.write('a NOOP\r\n');
  await answered;
  // A certificate that is its own issuer will do for the verb that sends.
  expect(await over(program, ['send', '--from', alice, '--to', bob, '--body', 'x'])).toMatchObject({
    code: 0,
    stderr: '',
  });
});

it('lives on where its log cannot be written, and where nobody reads its table', async () => {
  for (const shell of ['exec "$@" 2>/dev/full', 'exec "$@" 2>&-']) {
    const program = await start({ under: ['sh', '-c', shell, 'sh'], logLevel: 'trace' });
    for (let round = 0; round < 3; round++) (await imap(program))[Symbol.dispose]();
    expect((await over(program, ['health'])).code).toBe(0);
    expect(await program.stop()).toBe(0);
  }
});

it('has the bounds of a long-lived server, whether it is called by its name or through node', async () => {
  for (const node of [false, true]) {
    const { pid } = await start({ node });
    const [, ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    expect(args.slice(0, 2)).toEqual(['--max-semi-space-size=8', launch]);
    expect((await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0')).toContain('MALLOC_ARENA_MAX=2');
  }
});

it('comes to no harm by a resolver that cannot be reached', async () => {
  const program = await start({ more: '[[relay.resolver]]\naddress = "255.255.255.255"\n' });
  const sent = await over(program, ['send', '--from', alice, '--to', 'a@remote.example', '--body', 'x']);
  expect(sent.code).toBe(0);
  for (;;) {
    const [entry] = JSON.parse((await over(program, ['queue', 'list', '--json'])).stdout);
    if (entry.attempts > 0) break;
  }
  expect((await over(program, ['health'])).code).toBe(0);
});

it('who comes and goes without a command leaves no line at the usual level', async () => {
  const program = await start({ logLevel: 'info' });
  const before = program.output.length;
  for (const gate of [25, 465, 587, 993, 143, 995, 110] as const) {
    const socket = connect(program.port(gate), '127.0.0.1');
    await once(socket, 'connect');
    socket.end();
    socket.resume();
    await once(socket, 'close');
  }
  await over(program, ['health']);
  // The next one does; lines come in their order.
  const client = await SmtpClient.open({ port: program.port(25) });
  await client.quit();
  await logged(program, 'session ended');
  expect(program.output.slice(before).filter((line) => line.includes('session'))).toHaveLength(1);
});
