// Messages of local programs: completed, taken from the spool once whatever happens in between, refused to who waits and
// reported to who does not.

import { execFile } from 'node:child_process';
import { copyFile, link, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createLocalSubmission, type LocalSubmission } from '../../src/msa/local.ts';
import { leave, type SpooledEnvelope, spoolPlace } from '../../src/msa/spool.ts';
import type { Log } from '../../src/platform/log.ts';
import type { Store } from '../../src/store/store.ts';
import { readReport } from '../journeys/report.ts';
import { ROOM } from '../mta/smtp-session.ts';
import { createWorld, type World } from '../world.ts';

const crlf = (...lines: string[]) => Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
const LETTER = crlf('Subject: hello', '', 'Hello.');

function envelope(world: World, more: Partial<SpooledEnvelope> = {}): SpooledEnvelope {
  return {
    version: 1,
    user: 'alice',
    from: 'alice@example.test',
    fullName: null,
    recipients: ['bob@example.test'],
    body: '7BIT',
    createdAt: world.clock.now(),
    ...more,
  };
}

/** The agent of a world's server, with a store that may be another. */
function agent(world: World, log: Log, wrap: (store: Store) => Store = (store) => store): LocalSubmission {
  const { config, running } = world.here;
  const { store, directory } = running;
  const { hostname, limits, queue } = config;
  const spool = spoolPlace(config);
  const { clock } = world;
  return createLocalSubmission({
    store: wrap(store),
    directory,
    hostname,
    limits,
    queue,
    clock,
    log,
    spool,
    dkim: null,
    room: ROOM,
    origin: 'example.test',
  });
}

const quiet = { info() {}, warn() {}, error() {} } as unknown as Log; // what the agent says is nobody's here
const spooled = ({ here }: World) => readdir(spoolPlace(here.config).folder);
const place = ({ here }: World) => spoolPlace(here.config);

/** Nothing fits into the mailbox any more. */
async function fill(world: World, mailbox: string): Promise<void> {
  const { store } = world.here.running;
  const account = (await store.read.accounts()).find(({ address }) => address === mailbox);
  if (account === undefined) throw new Error(`${mailbox} is somebody`);
  const { address, aliases, password, seeded } = account;
  const changed = { address, aliases, password, seeded, quota: 0 };
  await store.execute<'put-account'>({ kind: 'put-account', ...changed, existing: 'replace' });
}

describe('a message of a local program', () => {
  test('is completed as the MSA does, and its short addresses get a domain', async () => {
    await using world = await createWorld();
    const content = crlf(
      'From: root (Cron Daemon)',
      'To: bob, "Doe, J." <jd>, Ann <ann@far.test>',
      'Bcc: carol@example.test',
      'Subject: Gr\u00FC\u00DFe',
      '',
      'Hello.',
    );
    const id = await leave(place(world), envelope(world, { from: 'root@example.test' }), content);
    expect(await agent(world, quiet).take(id)).toEqual({ kind: 'taken' });
    const [message = ''] = (await world.here.messages('bob')).map(String);
    expect(message).toMatch(/^Return-Path: <root@example\.test>\r\n/);
    expect(message).toMatch(/^Received: from localhost by mail\.example\.test\s+id [\w-]+\s+for <bob@example\.test>;/m);
    expect(message).toMatch(/^Date: \w/m);
    expect(message).toMatch(/^Message-ID: <.+@mail\.example\.test>\r\n/m);
    expect(message).toContain('\r\nFrom: Cron Daemon <root@example.test>\r\n');
    expect(message).toContain('To: bob@example.test,\r\n\t"Doe, J." <jd@example.test>,\r\n\tAnn <ann@far.test>\r\n');
    expect(message).toMatch(/^Subject: =\?UTF-8\?Q\?Gr=C3=BC=C3=9Fe\?=\r\n/m);
    expect(message).not.toContain('Bcc');
    expect(message).toMatch(/\r\n\r\nHello\.\r\n$/);
    expect(await spooled(world)).toEqual([]);
  });

  test('without a From has the name that came with it', async () => {
    await using world = await createWorld();
    for (const [fullName, field] of [
      ['Cron Daemon', 'From: Cron Daemon <alice@example.test>'],
      ['Doe, J.', 'From: "Doe, J." <alice@example.test>'],
      ['D\u00E6mon', 'From: =?UTF-8?Q?D=C3=A6mon?= <alice@example.test>'],
      [null, 'From: <alice@example.test>'],
    ] as const) {
      await agent(world, quiet).take(await leave(place(world), envelope(world, { fullName }), LETTER));
      expect(String((await world.here.messages('bob')).at(-1))).toContain(`\r\n${field}\r\n`);
    }
  });

  test('for somebody far goes into the queue', async () => {
    await using world = await createWorld({ servers: 2 });
    const id = await leave(
      place(world),
      envelope(world, { recipients: ['carol@other.test', 'bob@example.test'] }),
      LETTER,
    );
    expect(await agent(world, quiet).take(id)).toEqual({ kind: 'taken' });
    await world.here.queueEmpty();
    expect(await world.there.messages('carol')).toHaveLength(1);
    expect(await world.here.messages('bob')).toHaveLength(1);
  });

  test('for somebody far is made 7-bit and signed, as what users submit is', async () => {
    await using world = await createWorld({
      servers: 2,
      configure: (config) => ({ ...config, dkim: { ...config.dkim, enabled: true } }),
    });
    const content = Buffer.from(
      'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\u00FC\u00DFe\r\n',
    );
    await leave(place(world), envelope(world, { recipients: ['carol@other.test'], body: '8BITMIME' }), content);
    await world.here.restart();
    await expect.poll(() => spooled(world)).toEqual([]);
    await world.here.queueEmpty();
    const [message = ''] = (await world.there.messages('carol')).map(String);
    expect(message).toMatch(/^DKIM-Signature: .*/m);
    expect(message).toMatch(/\bd=example\.test;/);
    expect(message).toMatch(/\r\nContent-Transfer-Encoding: (?:base64|quoted-printable)\r\n/);
    expect(message).toMatch(/^[\0-\x7f]*$/);
  });

  test('is refused for all where one recipient is nobody, to who waits for the answer', async () => {
    await using world = await createWorld();
    const id = await leave(
      place(world),
      envelope(world, { recipients: ['bob@example.test', 'no@example.test'] }),
      LETTER,
    );
    expect(await agent(world, quiet).take(id)).toMatchObject({ kind: 'refused', replies: [{ status: '5.1.1' }] });
    expect(await world.here.messages('bob')).toEqual([]);
    expect(await spooled(world)).toEqual([]);
  });
});

describe('who does not wait', () => {
  test.each([
    ['alice@example.test', 'alice'],
    // Nobody here: the postmaster hears of it, who is alice.
    ['root@example.test', 'alice'],
    [null, 'alice'],
  ])('%s is told by a report, and the others have their mail', async (from, reader) => {
    await using world = await createWorld();
    const recipients = ['bob@example.test', 'no@example.test'];
    await leave(place(world), envelope(world, { from, recipients }), LETTER);
    await world.here.restart();
    await expect.poll(() => spooled(world)).toEqual([]);
    expect(await world.here.messages('bob')).toHaveLength(1);
    const [report] = await world.here.messages(reader);
    const { recipients: reported } = await readReport(report);
    expect(reported.map((fields) => fields.get('status'))).toEqual(['5.1.1']);
  });

  test.each(['never', ['success'], ['delay']] as const)(
    'nor wants to hear of failures (%j) does not',
    async (notify) => {
      await using world = await createWorld();
      const asked = typeof notify === 'string' ? notify : [...notify];
      const recipients = ['no@example.test', 'carol@example.test'];
      await leave(place(world), envelope(world, { recipients, notify: asked }), LETTER);
      const hops = Array.from({ length: 101 }, () => 'Received: from a by b; Thu, 1 Jan 2026 00:00:00 +0000');
      await leave(place(world), envelope(world, { notify: asked }), crlf(...hops, '', 'round and round'));
      await world.here.restart();
      await expect.poll(() => spooled(world)).toEqual([]);
      expect(await world.here.messages('alice')).toEqual([]);
    },
  );

  test('asked for success and hears of each mailbox, beside who is nobody', async () => {
    await using world = await createWorld();
    const recipients = ['bob@example.test', 'no@example.test', 'bob+list@example.test'];
    const more = { recipients, notify: ['success' as const, 'failure' as const], envid: 'e1' };
    await leave(place(world), envelope(world, more), LETTER);
    await world.here.restart();
    await expect.poll(() => spooled(world)).toEqual([]);
    expect(await world.here.messages('bob')).toHaveLength(1);
    const reports = await Promise.all((await world.here.messages('alice')).map(readReport));
    const told = reports.map((report) => report.recipients.map((fields) => fields.get('action')));
    expect(told).toEqual([['failed'], ['delivered', 'delivered']]);
    expect(reports.map(({ message }) => message.get('original-envelope-id'))).toEqual(['e1', 'e1']);
  });

  test.each([
    [['bob@example.test', 'no@example.test'], {}],
    [['bob@example.test'], { notify: ['success' as const] }],
  ])('and has a full mailbox hears of it all the same (%j)', async (recipients, more) => {
    await using world = await createWorld();
    await fill(world, 'alice@example.test');
    await leave(place(world), envelope(world, { recipients, ...more }), LETTER);
    const local = agent(world, quiet);
    local.start();
    await expect.poll(() => spooled(world)).toEqual([]);
    expect(await world.here.messages('bob')).toHaveLength(1);
    expect(await world.here.messages('alice')).toHaveLength(1);
    await local.close();
  });

  test.each([true, false])(
    'one full mailbox keeps nobody waiting but itself (somebody hears it: %j)',
    async (heard) => {
      await using world = await createWorld();
      await fill(world, 'bob@example.test');
      const local = agent(world, quiet);
      const alone = await leave(place(world), envelope(world), LETTER);
      expect(await local.take(alone)).toMatchObject({ kind: 'kept' });
      const recipients = ['alice@example.test', 'bob@example.test'];
      const id = await leave(place(world), envelope(world, { recipients }), LETTER);
      if (heard) expect(await local.take(id)).toEqual({ kind: 'taken' });
      else local.start();
      await expect.poll(() => spooled(world)).toEqual([`${alone}.mail`]);
      await local.close();
      const [message, report] = await world.here.messages('alice');
      expect(String(message)).toMatch(/\r\n\r\nHello\.\r\n$/);
      const { recipients: reported } = await readReport(report);
      expect(reported.map((fields) => [fields.get('action'), fields.get('status')])).toEqual([['failed', '4.2.2']]);
    },
  );

  test('a message that no server may take is reported, too', async () => {
    await using world = await createWorld();
    const hops = Array.from({ length: 101 }, () => 'Received: from a by b; Thu, 1 Jan 2026 00:00:00 +0000');
    await leave(place(world), envelope(world), crlf(...hops, '', 'round and round'));
    await world.here.restart();
    await expect.poll(() => spooled(world)).toEqual([]);
    expect(await world.here.messages('bob')).toEqual([]);
    expect(await world.here.messages('alice')).toHaveLength(1);
  });

  test('what cannot be taken now is taken later', async () => {
    await using world = await createWorld();
    const id = await leave(place(world), envelope(world), LETTER);
    const { StoreError } = await import('../../src/store/store.ts');
    let full = true;
    const local = agent(world, quiet, (store) => ({
      ...bound(store),
      execute: (command) => {
        if (full && command.kind === 'accept') throw new StoreError('full', 'no room');
        return store.execute(command);
      },
    }));
    expect(await local.take(id)).toMatchObject({ kind: 'kept' });
    expect(await spooled(world)).toEqual([`${id}.mail`]);
    full = false;
    local.start();
    await expect.poll(() => spooled(world)).toEqual([]);
    expect(await world.here.messages('bob')).toHaveLength(1);
    await local.close();
  });
});

/** The methods of a store, apart from it. */
function bound(store: Store): Store {
  return {
    execute: (command) => store.execute(command),
    read: store.read,
    views: store.views,
    stage: () => store.stage(),
    follow: (topic, listener) => store.follow(topic, listener),
    failed: store.failed,
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

describe('a kill', () => {
  test('between the store and the spool doubles nothing, at any later start', async () => {
    await using world = await createWorld();
    const recipients = ['bob@example.test', 'no@example.test'];
    const id = await leave(place(world), envelope(world, { recipients }), LETTER);
    const file = join(place(world).folder, `${id}.mail`);
    await copyFile(file, `${file}.kept`);
    // The store has it; the file was not removed, nor the key forgotten.
    const killed = agent(world, quiet, (store) => ({
      ...bound(store),
      execute: (command) =>
        command.kind === 'forget-once' ? (new Promise(() => {}) as never) : store.execute(command),
    }));
    killed.start();
    await expect.poll(async () => (await world.here.messages('bob')).length).toBe(1);
    await expect.poll(async () => await spooled(world)).toEqual([`${id}.mail.kept`]);
    await copyFile(`${file}.kept`, file);
    for (let start = 0; start < 2; start++) await world.here.restart();
    await expect.poll(async () => await spooled(world)).toEqual([`${id}.mail.kept`]);
    expect(await world.here.messages('bob')).toHaveLength(1);
    expect(await world.here.messages('alice')).toHaveLength(1);
  });

  test('two who take the same message at once take it once', async () => {
    await using world = await createWorld();
    const id = await leave(place(world), envelope(world), LETTER);
    const local = agent(world, quiet);
    expect(await Promise.all([local.take(id), local.take(id)])).toEqual([{ kind: 'taken' }, { kind: 'taken' }]);
    expect(await local.take(id)).toEqual({ kind: 'taken' });
    expect(await world.here.messages('bob')).toHaveLength(1);
  });

  test('of who writes leaves nothing that is taken for a message; what is none is set aside', async () => {
    await using world = await createWorld();
    await leave(place(world), envelope(world), LETTER);
    const folder = place(world).folder;
    await writeFile(join(folder, '000000000000.draft'), '{"version":1');
    await writeFile(join(folder, '000000000001.mail'), '{"version":1}\nx');
    await writeFile(join(folder, '000000000002.mail'), 'no line end');
    await world.here.restart();
    await expect
      .poll(async () => (await spooled(world)).sort())
      .toEqual(['000000000000.draft', '000000000001.damaged', '000000000002.damaged']);
    expect(await world.here.messages('bob')).toHaveLength(1);
  });

  test.each(['../../x', '', 'a/b', '000000000000.mail'])('an id %j leads nowhere', async (id) => {
    await using world = await createWorld();
    await expect(agent(world, quiet).take(id)).rejects.toThrow();
  });
});

describe('a folder that is open to every user of the machine', () => {
  const openWorld = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-open-spool-'));
    const world = await createWorld({
      configure: (config) => ({ ...config, sendmail: { domain: null, folder: join(folder, 'spool') } }),
    });
    return { world, folder: join(folder, 'spool'), remove: () => rm(folder, { recursive: true }) };
  };

  test('is written to by everybody, listed by nobody, and taken from at once', async () => {
    const { world, folder, remove } = await openWorld();
    await using _ = world;
    expect((await stat(folder)).mode & 0o7777).toBe(0o1733);
    const arrived = world.here.change({ kind: 'queue' }, () => true);
    await leave({ folder, open: true }, envelope(world, { recipients: ['x@nowhere.test'] }), LETTER);
    // No clock moves: the folder itself has told.
    await arrived;
    await expect.poll(() => readdir(folder)).toEqual([]);
    await remove();
  });

  test('what is no file of its own is set aside, and nothing is read through it', async () => {
    const { world, folder, remove } = await openWorld();
    await using _ = world;
    await leave({ folder: join(folder, '../elsewhere'), open: false }, envelope(world), LETTER);
    const [name = ''] = await readdir(join(folder, '../elsewhere'));
    const elsewhere = join(folder, '../elsewhere', name);
    await symlink(elsewhere, join(folder, '00000000000a.mail'));
    await link(elsewhere, join(folder, '00000000000b.mail'));
    await mkdir(join(folder, '00000000000c.mail'));
    await promisify(execFile)('mkfifo', [join(folder, '00000000000d.mail')]);
    await world.here.restart();
    await expect
      .poll(async () => (await readdir(folder)).sort())
      .toEqual(['a', 'b', 'c', 'd'].map((letter) => `00000000000${letter}.damaged`));
    expect(await world.here.messages('bob')).toEqual([]);
    await remove();
  });
});

test('a draft of who was killed long ago goes', async () => {
  await using world = await createWorld();
  const { folder } = place(world);
  await mkdir(folder, { recursive: true });
  for (const name of ['000000000000.draft', '000000000001.draft']) await writeFile(join(folder, name), 'x');
  const longAgo = (world.clock.now() - 3 * 24 * 3_600_000) / 1_000;
  await utimes(join(folder, '000000000000.draft'), longAgo, longAgo);
  await utimes(join(folder, '000000000001.draft'), world.clock.now() / 1_000, world.clock.now() / 1_000);
  await agent(world, quiet).prepare();
  expect(await readdir(folder)).toEqual(['000000000001.draft']);
});
