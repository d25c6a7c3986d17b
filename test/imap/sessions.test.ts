// Several sessions on one mailbox do as they like, alone and at once. Each keeps what an honest client would believe, by
// nothing but the responses it got. After NOOP all believe the same, and it is what the server has. Seeded.

import { expect, test, vi } from 'vitest';
import { ImapClient, type Response } from '../clients/imap.ts';
import { Random } from '../fuzz/random.ts';
import { type Gate, numbered, openGate, PASSWORD } from './gate.ts';

const SESSIONS = 5;
const ROUNDS = Number(process.env.STRESS_ROUNDS ?? 60);
const SEED = Number(process.env.STRESS_SEED ?? 7);
const FLAGS = ['\\Seen', '\\Deleted', '\\Flagged', '\\Answered', 'Work', 'Play'] as const;

/** What a client knows of a message; undefined: nothing yet. */
interface Known {
  uid?: number;
  flags?: ReadonlySet<string>;
  recent?: boolean;
}

class Believer {
  readonly client: ImapClient;
  messages: Known[];
  readonly random: Random;

  private constructor(client: ImapClient, messages: Known[], random: Random) {
    this.client = client;
    this.messages = messages;
    this.random = random;
  }

  static async open(gate: Gate, random: Random): Promise<Believer> {
    const client = await ImapClient.open({ port: gate.port }, { user: 'alice@example.test', password: PASSWORD });
    const believer = new Believer(client, [], random);
    believer.learn(await client.done('SELECT INBOX'), 'SELECT');
    return believer;
  }

  /** Takes untagged responses in their order. @throws Error for one that cannot be */
  learn(responses: readonly Response[], command: string): void {
    for (const { text } of responses) {
      const [, number, what = '', data = ''] = /^\* (\d+) (EXISTS|RECENT|EXPUNGE|FETCH) ?(.*)$/.exec(text) ?? [];
      const count = Number(number);
      if (what === 'EXISTS') {
        if (count < this.messages.length) throw new Error(`${text} where there were ${this.messages.length}`);
        while (this.messages.length < count) this.messages.push({});
      } else if (what === 'EXPUNGE') {
        if (/^(?:FETCH|STORE|SEARCH)/.test(command)) throw new Error(`${text} during ${command}`);
        if (count < 1 || count > this.messages.length) throw new Error(`${text} of ${this.messages.length}`);
        this.messages.splice(count - 1, 1);
      } else if (what === 'FETCH') {
        const message = this.messages[count - 1];
        if (!message) throw new Error(`${text} of ${this.messages.length}`);
        const uid = /UID (\d+)/.exec(data)?.[1];
        if (uid !== undefined) {
          if (message.uid !== undefined && message.uid !== Number(uid)) throw new Error(`${text}: was ${message.uid}`);
          message.uid = Number(uid);
        }
        const flags = /FLAGS \(([^)]*)\)/.exec(data)?.[1]?.split(' ').filter(Boolean);
        if (flags) {
          message.recent = flags.includes('\\Recent');
          message.flags = new Set(flags.filter((flag) => flag !== '\\Recent'));
        }
      }
    }
  }

  async say(command: string): Promise<string> {
    const { status, untagged, text } = await this.client.command(command);
    // What a client asks to be done in silence, it believes to be done; news of others may come on top.
    if (status === 'OK') this.#believeSilent(command);
    this.learn(untagged, command);
    if (status !== 'OK' && !/EXPUNGEISSUED/.test(text)) throw new Error(`${command}: ${status} ${text}`);
    return text;
  }

  #believeSilent(command: string): void {
    const [, first, last, sign, list = ''] = /^STORE (\d+):(\d+) ([+-]?)FLAGS\.SILENT \((.*)\)$/.exec(command) ?? [];
    for (let sequence = Number(first); sequence <= Number(last); sequence++) {
      const message = this.messages[sequence - 1];
      const named = list.split(' ').filter(Boolean);
      if (!message) continue;
      if (sign === '') message.flags = new Set(named);
      else if (message.flags) {
        const flags = new Set(message.flags);
        for (const flag of named) sign === '+' ? flags.add(flag) : flags.delete(flag);
        message.flags = flags;
      }
    }
  }

  /** One thing that a client might do. */
  async act(): Promise<void> {
    const { random } = this;
    const count = this.messages.length;
    const first = random.between(1, Math.max(1, count));
    const range = `${first}:${Math.min(count, first + random.below(4))}`;
    const flags = FLAGS.filter(() => random.once(3)).join(' ');
    const kind = random.below(14);
    if (count === 0 || kind === 0) {
      const message = `Subject: ${random.next()}\r\n\r\n`;
      await this.say(`APPEND INBOX (${flags}) {${message.length}+}\r\n${message}`);
    } else if (kind < 5) {
      const sign = random.pick(['', '+', '-']);
      await this.say(`STORE ${range} ${sign}FLAGS${random.once(2) ? '.SILENT' : ''} (${flags})`);
    } else if (kind === 5) await this.say(`UID STORE ${random.between(1, 300)}:* +FLAGS (${flags})`);
    else if (kind === 6) await this.say('EXPUNGE');
    else if (kind === 7) await this.say(`UID EXPUNGE ${random.between(1, 300)}:*`);
    else if (kind === 8) await this.say(`COPY ${range} INBOX`);
    else if (kind === 9) await this.say(`UID FETCH 1:${random.between(1, 300)} (FLAGS)`);
    else if (kind === 10) await this.say(`FETCH ${range} (UID FLAGS)`);
    else if (kind === 11) await this.say(`SEARCH ${random.pick(['DELETED', 'SEEN', 'KEYWORD Work', 'ALL'])}`);
    else if (kind === 12)
      await this.say(random.once(2) ? `MOVE ${range} Trash` : `UID MOVE ${random.between(1, 50)} Trash`);
    else await this.idle();
  }

  async idle(): Promise<void> {
    const end = await this.client.idle();
    this.learn(await end(), 'IDLE');
  }
}

test('sessions agree after NOOP', async () => {
  await using gate = await openGate();
  await gate.fill('INBOX', numbered(10));
  const random = new Random(SEED);
  const believers: Believer[] = [];
  for (let i = 0; i < SESSIONS; i++) believers.push(await Believer.open(gate, new Random(random.next())));
  const recents = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round++) {
    // At once, each a few things in its own order; or one after another.
    const several = async (believer: Believer) => {
      for (let i = believer.random.between(0, 4); i > 0; i--) await believer.act();
    };
    if (random.once(3)) for (const believer of believers) await several(believer);
    else await Promise.all(believers.map(several));
    if (believers[0] && believers[0].messages.length > 80) {
      await believers[0].say('STORE 1:60 +FLAGS.SILENT (\\Deleted)');
      await believers[0].say('EXPUNGE');
    }
    for (const believer of believers) await believer.say('NOOP');

    const believed = believers.map(({ messages }) => messages.map((message) => ({ ...message })));
    for (const believer of believers) await believer.say('FETCH 1:* (UID FLAGS)').catch(tolerateEmpty);
    const [truth = []] = believers.map(({ messages }) => messages);
    for (const [index, believer] of believers.entries()) {
      const where = `round ${round}, session ${index + 1}`;
      const facts = believer.messages.map(({ uid, flags }) => ({ uid, flags }));
      expect(facts, where).toEqual(truth.map(({ uid, flags }) => ({ uid, flags })));
      for (const [place, message] of (believed[index] ?? []).entries()) {
        if (message.uid !== undefined) expect(message.uid, where).toBe(believer.messages[place]?.uid);
        if (message.flags)
          expect(message.flags, `${where}, message ${place + 1}`).toEqual(believer.messages[place]?.flags);
        if (message.recent !== undefined) expect(message.recent, where).toBe(believer.messages[place]?.recent);
      }
      for (const { uid, recent } of believer.messages) {
        if (!recent || uid === undefined) continue;
        expect(recents.get(uid) ?? index, `${where}: \\Recent of UID ${uid}`).toBe(index);
        recents.set(uid, index);
      }
    }
  }
  // Everybody was told of everything, so nothing that was expunged is held back for anybody.
  expect(recents.size).toBeGreaterThan(20);
  for (const believer of believers) await believer.client.logout();
});

/** A mailbox may have run empty: then there is no message to ask for. */
function tolerateEmpty(error: unknown): void {
  if (!(error instanceof Error && /BAD/.test(error.message))) throw error;
}

test('RFC 3501 §2.3.2: what comes and is told elsewhere while a mailbox is being selected is not \\Recent here, too', async () => {
  await using gate = await openGate();
  await gate.fill('INBOX', numbered(1));
  const login = { user: 'alice@example.test', password: PASSWORD };
  using first = await ImapClient.open({ port: gate.port }, login);
  using second = await ImapClient.open({ port: gate.port }, login);
  await first.done('SELECT INBOX');
  const { opening } = gate.store.read;
  const spy = vi.spyOn(gate.store.read, 'opening').mockImplementationOnce(async (mailbox) => {
    await gate.fill('INBOX', numbered(1));
    const before = await opening.call(gate.store.read, mailbox);
    await first.done('NOOP');
    return before;
  });
  await second.done('SELECT INBOX');
  expect(spy).toHaveBeenCalled();
  const texts = async (client: ImapClient) => (await client.done('FETCH 2 FLAGS')).map(({ text }) => text);
  expect(await texts(first)).toEqual(['* 2 FETCH (FLAGS (\\Recent))']);
  expect(await texts(second)).toEqual(['* 2 FETCH (FLAGS ())']);
});

test('RFC 3501 §7.4.1: what is expunged while a mailbox is being selected is told by the next command', async () => {
  await using gate = await openGate();
  await gate.fill('INBOX', numbered(4));
  const login = { user: 'alice@example.test', password: PASSWORD };
  using first = await ImapClient.open({ port: gate.port }, login);
  using second = await ImapClient.open({ port: gate.port }, login);
  await second.done('ENABLE QRESYNC');
  const opened = (await first.done('SELECT INBOX (CONDSTORE)')).map(({ text }) => text).join();
  const [, validity, modSeq] = /UIDVALIDITY (\d+).*HIGHESTMODSEQ (\d+)/.exec(opened) ?? [];
  const says = async (command: string) =>
    (await second.done(command)).map(({ text }) => text).filter((text) => /EXISTS|EXPUNGE|VANISHED/.test(text));

  const commands = ['SELECT INBOX', 'EXAMINE INBOX', `SELECT INBOX (QRESYNC (${validity} ${modSeq} 3:4))`];
  const { opening } = gate.store.read;
  const spy = vi.spyOn(gate.store.read, 'opening');
  for (const [at, command] of commands.entries()) {
    spy.mockImplementationOnce(async (mailbox) => {
      const before = await opening.call(gate.store.read, mailbox);
      await first.done('STORE 1 +FLAGS.SILENT (\\Deleted)');
      await first.done('EXPUNGE');
      return before;
    });
    expect(await says(command)).toEqual([`* ${4 - at} EXISTS`]);
    expect(await says('NOOP')).toEqual([`* VANISHED ${at + 1}`]);
  }
});
