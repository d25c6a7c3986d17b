// Programs that fetch mail by POP3: curl, Python's poplib, fetchmail, getmail, mpop and NeoMutt, over 995 and 110,
// certificates verified.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SmtpClient } from '../clients/smtp.ts';
import { PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, type Foreign, program, run, succeed } from './foreign.ts';
import { authorityOf, bodyOf, everything, flags } from './mailbox.ts';

const BODY = 'one line\r\n.\r\n..two\r\nÜ\r\n';

type AccessGate = 995 | 110;
const GATES: readonly AccessGate[] = [995, 110];

/** A server, a folder, and messages for whoever fetches them. */
function stage(programs: readonly [Foreign, ...Foreign[]], body: (stage: Stage) => void): void {
  cases(programs, () => {
    const made = new Stage();
    beforeAll(() => made.open());
    afterAll(() => made.close());
    body(made);
  });
}

class Stage {
  server: Program | undefined;
  folder = '';
  #user = 0;

  async open(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'postern-pop3-'));
    this.server = await Program.start({ users: 12 });
  }

  async close(): Promise<void> {
    await this.server?.[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }

  get program(): Program {
    if (!this.server) throw new Error('the server has not started');
    return this.server;
  }

  port(gate: AccessGate): number {
    return this.program.port(gate);
  }

  get authority(): string {
    return authorityOf(this.program);
  }

  /** A user whom nobody has used, with messages of these subjects. */
  async user(...subjects: readonly string[]): Promise<number> {
    const number = ++this.#user;
    using client = await SmtpClient.open({ port: this.program.port(25) });
    for (const subject of subjects) {
      const content = `From: <a@b.test>\r\nSubject: ${subject}\r\n\r\n${BODY}`.replaceAll('\r\n.', '\r\n..');
      // One character an octet, as the client writes them.
      await client.send('a@b.test', [userAddress(number)], `${Buffer.from(content).toString('latin1')}.\r\n`);
    }
    await client.quit();
    return number;
  }

  /** The messages that a program left in a Maildir. */
  async maildir(name: string): Promise<string[]> {
    const files = await readdir(join(this.folder, name, 'new'));
    return await Promise.all(files.sort().map((file) => readFile(join(this.folder, name, 'new', file), 'utf8')));
  }

  async makeMaildir(name: string): Promise<string> {
    for (const part of ['cur', 'new', 'tmp']) await mkdir(join(this.folder, name, part), { recursive: true });
    return join(this.folder, name);
  }
}

/** Lines as files end them. */
const subjectsOf = (messages: readonly string[]): string[] =>
  messages.map((octets) => /^Subject: (.*?)\r?$/m.exec(octets)?.[1] ?? '').sort();
const bodiesOf = (messages: readonly string[]): string[] =>
  messages.map((octets) => bodyOf(octets.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')));

const curl = await program('curl', ['curl', '--version'], /^curl (\S+)/);
stage([curl], (made) => {
  const call = (user: number, url: string, ...args: string[]): Promise<Finished> =>
    run('curl', [
      ...['--silent', '--show-error', '--max-time', '30', '--cacert', made.authority],
      ...['--user', `${userAddress(user)}:${PASSWORD}`, url, ...args],
    ]);
  const ask = async (user: number, url: string, ...args: string[]): Promise<string> => {
    const { code, stdout, said } = await call(user, url, ...args);
    expect(code, said).toBe(0);
    return stdout.toString();
  };

  test.each<[string, string, AccessGate, string[]]>([
    ['pop3s', 'pop3s', 995, []],
    ['pop3 with STLS', 'pop3', 110, ['--ssl-reqd']],
    ['pop3s with AUTH PLAIN', 'pop3s', 995, ['--login-options', 'AUTH=PLAIN']],
    ['pop3s with an initial response', 'pop3s', 995, ['--login-options', 'AUTH=PLAIN', '--sasl-ir']],
    ['pop3s with AUTH LOGIN', 'pop3s', 995, ['--login-options', 'AUTH=LOGIN']],
  ])('fetches and deletes by %s', async (_, scheme, gate, options) => {
    const user = await made.user('first', 'second');
    const at = (path: string): string => `${scheme}://localhost:${made.port(gate)}/${path}`;
    const [first = '', second = ''] = await everything(made.program, user);
    const listed = [`1 ${Buffer.byteLength(first)}`, `2 ${Buffer.byteLength(second)}`];
    expect(await ask(user, at(''), ...options)).toBe(`${listed.join('\r\n')}\r\n`);
    expect(await ask(user, at('1'), ...options)).toBe(first);
    expect(await ask(user, at('2'), ...options)).toBe(second);
    expect(await ask(user, at(''), ...options, '--request', 'UIDL')).toMatch(/^1 \S+\r\n2 \S+\r\n$/);
    const top = await ask(user, at(''), ...options, '--request', 'TOP 1 0');
    expect(top).toBe(first.slice(0, -Buffer.from(BODY).toString('utf8').length));
    await ask(user, at('1'), ...options, '--request', 'DELE', '--list-only');
    expect(await everything(made.program, user)).toEqual([second]);
  });

  test('may not: 110 without TLS, and a wrong password', async () => {
    const user = await made.user('private');
    const clear = await call(user, `pop3://localhost:${made.port(110)}/1`);
    expect([clear.code, clear.stdout.length]).toEqual([67, 0]);
    const wrong = await call(user, `pop3s://localhost:${made.port(995)}/1`, '--user', `${userAddress(user)}:wrong`);
    expect([wrong.code, wrong.stdout.length]).toEqual([67, 0]);
  });
});

const python = await program('python3', ['python3', '--version'], /Python (\S+)/);
stage([{ ...python, name: 'python3 poplib' }], (made) => {
  test.each(GATES)('the life of a maildrop over %i', async (gate) => {
    const user = await made.user('one', 'two', 'three');
    const said = await succeed('python3', [join(import.meta.dirname, 'python/fetch.py')], {
      input: JSON.stringify({
        authority: made.authority,
        port: made.port(gate),
        tls: gate === 995 ? 'implicit' : 'stls',
        user: userAddress(user),
        password: PASSWORD,
      }),
    });
    const seen = JSON.parse(said.toString()) as Record<string, unknown>; // What fetch.py prints.
    const after = ['AUTH-RESP-CODE', 'EXPIRE', 'IMPLEMENTATION', 'PIPELINING', 'RESP-CODES', 'SASL', 'TOP', 'UIDL'];
    expect(seen.capabilities).toEqual([...after, 'USER', 'UTF8'].sort());
    if (gate === 110) {
      expect(seen.before).toEqual([...after.filter((name) => name !== 'SASL'), 'STLS', 'UTF8'].sort());
      expect(seen.early).toBe(false);
    }
    expect(seen).toMatchObject({ wrong: '-ERR [AUTH', second: '-ERR [IN-USE', unquit: 2 });
    expect(seen.sizes).toEqual(seen.listed);
    expect(seen.bodies).toEqual([BODY, BODY, BODY]);
    const [first, , third] = seen.ids as string[]; // What fetch.py prints.
    expect(seen.left).toEqual([first, third]);
    expect(subjectsOf(await everything(made.program, user))).toEqual(['one', 'three']);
    expect(await flags(made.program, user)).toEqual([['\\Seen'], ['\\Seen']]);
  });
});

const fetchmail = await program('fetchmail', ['fetchmail', '--version'], /release ([\d.]+)/);
stage([fetchmail], (made) => {
  const fetch = async (user: number, gate: AccessGate, more: string): Promise<Finished> => {
    const into = await made.makeMaildir(`fetchmail-${user}`);
    const tls = gate === 995 ? 'ssl' : 'sslproto "tls1.2+"';
    const file = join(made.folder, `fetchmailrc-${user}`);
    const rules =
      `poll localhost service ${made.port(gate)} protocol pop3 uidl\n` +
      `  user "${userAddress(user)}" password "${PASSWORD}" ${tls} sslcertck sslcertfile "${made.authority}"\n` +
      `  ${more} mda "/bin/sh -c 'cat > $(mktemp ${into}/new/XXXXXX)'"\n`;
    await writeFile(file, rules, { mode: 0o600 });
    const args = ['-f', file, '--nosyslog', '-i', join(made.folder, `ids-${user}`)];
    return await run('fetchmail', args, { cwd: made.folder, env: { HOME: made.folder, USER: 'nobody' } });
  };

  test.each(GATES)('fetches and deletes over %i', async (gate) => {
    const user = await made.user('first', 'second');
    const { code, said } = await fetch(user, gate, 'nokeep fetchall');
    expect(code, said).toBe(0);
    const fetched = await made.maildir(`fetchmail-${user}`);
    expect(subjectsOf(fetched)).toEqual(['first', 'second']);
    expect(bodiesOf(fetched)).toEqual([BODY, BODY]);
    expect(await everything(made.program, user)).toEqual([]);
  });

  test('keeps what is there and fetches only what is new', async () => {
    const user = await made.user('old');
    expect((await fetch(user, 995, 'keep')).code).toBe(0);
    // 1: there was nothing to fetch.
    expect((await fetch(user, 995, 'keep')).code).toBe(1);
    expect(subjectsOf(await made.maildir(`fetchmail-${user}`))).toEqual(['old']);
    expect(await everything(made.program, user)).toHaveLength(1);
  });
});

const getmail = await program('getmail', ['getmail', '--version'], /getmail (\S+)/);
stage([getmail], (made) => {
  const fetch = async (user: number, more: string): Promise<Finished> => {
    const into = await made.makeMaildir(`getmail-${user}`);
    const file = join(made.folder, `getmailrc-${user}`);
    const rules =
      `[retriever]\ntype = SimplePOP3SSLRetriever\nserver = localhost\nport = ${made.port(995)}\n` +
      `username = ${userAddress(user)}\npassword = ${PASSWORD}\nca_certs = ${made.authority}\n` +
      // As root it delivers by nothing else.
      '[destination]\ntype = MDA_external\npath = /bin/sh\nallow_root_commands = true\n' +
      `arguments = ("-c", "cat > $(mktemp ${into}/new/XXXXXX)")\n[options]\n${more}\n`;
    await writeFile(file, rules, { mode: 0o600 });
    return await run('getmail', ['--getmaildir', made.folder, '--rcfile', file], { cwd: made.folder });
  };

  test('fetches what is new, then deletes', async () => {
    const user = await made.user('first', 'second');
    const once = await fetch(user, 'read_all = false\ndelete = false');
    expect(once.code, once.said).toBe(0);
    const fetched = await made.maildir(`getmail-${user}`);
    expect(subjectsOf(fetched)).toEqual(['first', 'second']);
    expect(bodiesOf(fetched)).toEqual([BODY, BODY]);
    const twice = await fetch(user, 'read_all = false\ndelete = true');
    expect(twice.code, twice.said).toBe(0);
    expect(await made.maildir(`getmail-${user}`)).toHaveLength(2);
    expect(await everything(made.program, user)).toEqual([]);
  });
});

const mpop = await program('mpop', ['mpop', '--version'], /mpop version (\S+)/);
stage([mpop], (made) => {
  const fetch = async (user: number, gate: AccessGate, ...more: string[]): Promise<Finished> => {
    const into = await made.makeMaildir(`mpop-${user}`);
    return await run(
      'mpop',
      [
        ...['--host=localhost', `--port=${made.port(gate)}`, `--user=${userAddress(user)}`],
        ...[`--passwordeval=echo ${PASSWORD}`, '--tls=on', `--tls-starttls=${gate === 110 ? 'on' : 'off'}`],
        ...[`--tls-trust-file=${made.authority}`, `--delivery=maildir,${into}`, '--received-header=off'],
        ...[`--uidls-file=${join(made.folder, `uidls-${user}`)}`, ...more],
      ],
      { cwd: made.folder },
    );
  };

  test.each<[AccessGate, string]>([
    [995, 'plain'],
    [110, 'user'],
    [995, 'login'],
    [110, 'scram-sha-1'],
    [995, 'scram-sha-256'],
  ])('fetches by pipelining over %i with %s', async (gate, mechanism) => {
    const subjects = Array.from({ length: 30 }, (_, at) => `message ${at + 10}`);
    const user = await made.user(...subjects);
    const kept = await fetch(user, gate, '--keep=on', `--auth=${mechanism}`, '--pipelining=on');
    expect(kept.code, kept.said).toBe(0);
    const fetched = await made.maildir(`mpop-${user}`);
    expect(subjectsOf(fetched)).toEqual(subjects);
    expect(bodiesOf(fetched)).toEqual(subjects.map(() => BODY));
    // What it has is not fetched again, and deleted now.
    const gone = await fetch(user, gate, '--keep=off', `--auth=${mechanism}`, '--pipelining=on');
    expect(gone.code, gone.said).toBe(0);
    expect(await made.maildir(`mpop-${user}`)).toHaveLength(30);
    expect(await everything(made.program, user)).toEqual([]);
  });

  test('names the server', async () => {
    const said = await succeed('mpop', [
      ...['--host=localhost', `--port=${made.port(995)}`, '--tls=on', '--tls-starttls=off', '--serverinfo'],
      `--tls-trust-file=${made.authority}`,
    ]);
    expect(said.toString()).toMatch(/PIPELINING/);
  });
});

const neomutt = await program('neomutt', ['neomutt', '-v'], /^NeoMutt (\S+)/);
const script = await program('script', ['script', '--version'], /(\d\S*)/);
stage([neomutt, script], (made) => {
  test.each(GATES)('opens a maildrop over %i, saves a message and deletes it', async (gate) => {
    const user = await made.user('saved');
    const login = encodeURIComponent(userAddress(user));
    const scheme = gate === 995 ? 'pops' : 'pop';
    const settings = [
      `set ssl_force_tls ssl_ca_certificates_file="${made.authority}" certificate_file="${join(made.folder, 'accepted')}"`,
      `set folder="${scheme}://${login}:${PASSWORD}@localhost:${made.port(gate)}/" spoolfile="+INBOX"`,
      `set header_cache="" message_cachedir="" quit=yes delete=yes wait_key=no mbox_type=Maildir tmpdir="${made.folder}"`,
      'set confirmappend=no confirmcreate=no move=no delete=yes',
    ];
    const rc = join(made.folder, `muttrc-${user}`);
    await writeFile(rc, `${settings.join('\n')}\n`, { mode: 0o600 });
    const into = join(made.folder, `neomutt-${user}`);
    const keys = `<save-message><kill-line>${into}<enter><sync-mailbox><exit>`;
    const command = `neomutt -n -F ${rc} -f '${scheme}://${login}:${PASSWORD}@localhost:${made.port(gate)}/' -e 'push "${keys}"'`;
    const env = { TERM: 'xterm', COLUMNS: '100', LINES: '40', SHELL: '/bin/sh' };
    const { code, said } = await run('script', ['-qec', command, '/dev/null'], { env, cwd: made.folder });
    expect(code, said).toBe(0);
    const saved = await made.maildir(`neomutt-${user}`);
    expect(subjectsOf(saved)).toEqual(['saved']);
    expect(bodiesOf(saved)).toEqual([BODY]);
    expect(await everything(made.program, user)).toEqual([]);
  });
});
