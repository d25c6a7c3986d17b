// The transcripts of this folder against a real listener and store. `given:` says what is there, and who has gone how far.

import { once } from 'node:events';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll } from 'vitest';
import type { Conversation } from '../transcript/conversation.ts';
import { runTranscripts, type Stage } from '../transcript.ts';
import { CONVERSATION } from './conversation.ts';
import { dial, type Gate, type GateOptions, numbered, openGate, PASSWORD } from './gate.ts';

/** Conditions that the listener or the account has to be made with. */
const OPTIONS: Readonly<Record<string, GateOptions>> = {
  'port 143': { tls: 'required' },
  'port 993': { tls: 'implicit' },
  'tokens are taken': { tls: 'implicit', tokens: true },
  'port 143, where tokens are taken': { tls: 'offered', tokens: true },
  'an account with room for 1000 octets': { quota: 1_000 },
  'UNAUTHENTICATE is switched off': { unauthenticate: false },
};

const LETTER = [
  'From: "Jürgen" <j@example.test>',
  'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
  'Date: Mon, 7 Feb 1994 21:52:25 -0800',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'St=C3=BCck f=',
  '=C3=BCr St=C3=BCck',
  '',
].join('\r\n');

const PAGE = [
  'Subject: page',
  'Content-Type: text/html; charset=utf-8',
  '',
  '<p style="color: #333">gr<b>een</b>',
  'tea &amp;&#32;milk</p>',
  '',
].join('\r\n');

const MULTIPART = [
  'Subject: all',
  'Content-Type: multipart/mixed; boundary=x',
  '',
  '--x',
  '',
  'one',
  '--x',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  '',
  'two',
  '--x--',
  '',
].join('\r\n');

/** Parts in every encoding, one of them with NUL, and one in an encoding of which nobody has heard. */
const PARCEL = [
  'Subject: parcel',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=x',
  '',
  '--x',
  'Content-Type: application/octet-stream',
  'Content-Transfer-Encoding: base64',
  '',
  'AAEC',
  'A/8=',
  '--x',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: Quoted-Printable',
  '',
  'caf=C3=A9 =',
  'au lait  ',
  '--x',
  'Content-Type: message/rfc822',
  '',
  'Subject: =?utf-8?q?inner?=',
  'Content-Type: multipart/mixed; boundary=y',
  '',
  '--y',
  'Content-Transfer-Encoding: base64',
  '',
  'aGVsbG8NCg==',
  '--y',
  'Content-Transfer-Encoding: x-uuencode',
  '',
  'begin',
  '--y--',
  '--x--',
  '',
].join('\r\n');

/** The parts that the examples of RFC 5524 §4 speak of: a text, a picture with NUL in it, and one in an encoding of which
 * nobody has heard. */
const POSTCARD = [
  'Subject: postcard',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=x',
  '',
  '--x',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from('Si vis pacem, para bellum.\r\n').toString('base64'),
  '--x',
  'Content-Type: image/png',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from('\0'.padEnd(123, 'p')).toString('base64'),
  '--x',
  'Content-Type: image/png',
  'Content-Transfer-Encoding: x-blurdybloop',
  '',
  'b'.repeat(123),
  '--x--',
  '',
].join('\r\n');

/** What a mailbox can be filled with, by name. */
const LETTERS: Readonly<Record<string, string>> = {
  letter: LETTER,
  page: PAGE,
  multipart: MULTIPART,
  parcel: PARCEL,
  postcard: POSTCARD,
};

/** Gates by what they were made with; each transcript has its accounts anew. */
const gates = new Map<GateOptions | undefined, Gate>();
let gate: Gate | undefined;
/** The mailbox that a condition spoke of last. */
let mentioned = 'INBOX';

function theGate(): Gate {
  if (!gate) throw new Error('no gate is open');
  return gate;
}

/** Numbers in `1 and 2`, `1, 2 and 3`. */
const numbersOf = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);

async function until(conversation: Conversation, start: string): Promise<void> {
  for (;;) {
    const line = await conversation.line();
    if (line === null || /^\S+ (?:NO|BAD|BYE)/.test(line)) throw new Error(`given: ${line}`);
    if (line.startsWith(start)) return;
  }
}

async function say(conversation: Conversation, command: string): Promise<void> {
  await conversation.send(Buffer.from(`given ${command}\r\n`));
  await until(conversation, 'given OK');
}

async function logIn(stage: Stage, client: number, user = 'alice'): Promise<Conversation> {
  const conversation = await stage.conversation(client);
  await until(conversation, '* OK');
  await say(conversation, `LOGIN ${user}@example.test ${PASSWORD}`);
  return conversation;
}

runTranscripts(join(import.meta.dirname, 'transcripts'), {
  given: [
    { when: new RegExp(`^(?:${Object.keys(OPTIONS).join('|')})$`), make: () => {} },
    {
      when: /^(?:mailbox )?(\S+) with (\d+) messages?$/,
      make: async ([, name = '', count]) => {
        mentioned = name;
        await theGate().fill(name, numbered(Number(count)));
      },
    },
    {
      when: /^INBOX alone$/,
      make: async () => {
        const { store, alice } = theGate();
        for (const { id, name } of await store.read.mailboxes(alice)) {
          if (name !== 'INBOX') await store.execute({ kind: 'delete-mailbox', mailbox: id });
        }
        for (const name of await store.read.subscriptions(alice)) {
          await store.execute({ kind: 'subscribe', account: alice, name, subscribed: false });
        }
      },
    },
    {
      when: /^beside it ([^;]+)$/,
      make: async ([, names = '']) => {
        const { store, alice } = theGate();
        for (const name of names.split(', ')) {
          await store.execute({ kind: 'create-mailbox', account: alice, name, specialUse: null });
        }
      },
    },
    {
      when: /^subscribed ([^;]+)$/,
      make: async ([, names = '']) => {
        const { store, alice } = theGate();
        for (const name of names.split(', ')) {
          await store.execute({ kind: 'subscribe', account: alice, name, subscribed: true });
        }
      },
    },
    {
      when: new RegExp(`^mailbox (\\S+) with the (${Object.keys(LETTERS).join('|')})$`),
      make: async ([, name = '', which]) => {
        mentioned = name;
        await theGate().fill(name, [LETTERS[which ?? ''] ?? '']);
      },
    },
    {
      when: /^mailbox (\S+) with the conversation$/,
      make: async ([, name = '']) => {
        mentioned = name;
        await theGate().fill(name, CONVERSATION);
      },
    },
    {
      when: /^(alice|bob) is also (\S+)$/,
      make: async ([, user, alias = '']) => {
        await theGate().store.execute({
          kind: 'put-account',
          address: `${user}@example.test`,
          aliases: [alias],
          quota: null,
          password: null,
          seeded: true,
          existing: 'replace',
        });
      },
    },
    {
      when: /^clients? ([\d, and]+) (?:has|have) connected$/,
      make: async ([, who = ''], stage) => {
        for (const client of numbersOf(who)) await until(await stage.conversation(client), '* OK');
      },
    },
    {
      when: /^clients? ([\d, and]+) (?:has|have) logged in$/,
      make: async ([, who = ''], stage) => {
        for (const client of numbersOf(who)) await logIn(stage, client);
      },
    },
    {
      when: /^clients? ([\d, and]+) (?:is|are) bob$/,
      make: async ([, who = ''], stage) => {
        for (const client of numbersOf(who)) await logIn(stage, client, 'bob');
      },
    },
    {
      when: /^(\S+) gives (\S+) (\w+) on (\S+)$/,
      make: async ([, owner = '', identifier = '', rights = '', name = '']) => {
        const { store } = theGate();
        const account = await store.read.accountNamed(`${owner}@example.test`);
        const mailbox = account && (await store.read.mailboxByName(account.id, name));
        if (!mailbox) throw new Error(`${owner} has no ${name}`);
        await store.execute({
          kind: 'set-rights',
          mailbox: mailbox.id,
          identifier: identifier.replace(/^-?(?=bob$|alice$)(.*)$/, (all) => `${all}@example.test`),
          rights,
          mode: 'replace',
          unset: '',
        });
      },
    },
    {
      when: /^clients? ([\d, and]+) (?:has|have) (it|\S+) selected$/,
      make: async ([, who = '', which], stage) => {
        const name = which === 'it' || which === undefined ? mentioned : which;
        for (const client of numbersOf(who)) await say(await logIn(stage, client), `SELECT ${name}`);
      },
    },
  ],
  before: async (script) => {
    // Time stands still, so that no time-out helps a session out of a state it should leave by itself.
    mentioned = 'INBOX';
    const options = script.given.map((condition) => OPTIONS[condition]).find((found) => found);
    gate = gates.get(options);
    if (gate) await gate.renew();
    else gate = await openGate(options);
    gates.set(options, gate);
  },
  connect: async (_, script) => {
    const socket = await dial(theGate().port);
    if (!script.given.includes('port 993')) return socket;
    const secure = connectTls({ socket, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    return secure;
  },
});

afterAll(async () => {
  for (const each of gates.values()) await each[Symbol.asyncDispose]();
});
