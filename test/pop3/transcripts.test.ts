// The transcripts of this folder against a real listener and store. `given:` says what is there, and who has gone how far.

import { once } from 'node:events';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll } from 'vitest';
import { FakeClock } from '../fake-clock.ts';
import { dial, numbered, PASSWORD } from '../imap/gate.ts';
import type { Conversation } from '../transcript/conversation.ts';
import { runTranscripts, type Stage } from '../transcript.ts';
import { openPop3Gate, type Pop3Gate, type Pop3GateOptions } from './gate.ts';

/** Conditions that the listener has to be made with. */
const OPTIONS: Readonly<Record<string, Pop3GateOptions>> = {
  'port 110': { tls: 'required' },
  'port 995': { tls: 'implicit' },
  'a port that offers STLS': { tls: 'offered' },
  'a delay of 60 seconds between logins': { loginDelay: 60_000 },
  'mail that is kept for 30 days': { expire: 30 },
};

/** Messages by the names that conditions give them. */
const MESSAGES: Readonly<Record<string, string>> = {
  'the RFC': `Subject: one\r\n\r\n${'x'.repeat(102)}\r\n`,
  dotted: 'Subject: dots\r\n\r\n.\r\n..\r\n.leading\r\nin the . middle\r\n',
  'without an end': 'Subject: end\r\n\r\n.last',
  'with bare line ends': 'Subject: bare\r\n\r\none\n.\ntwo\n\r\n..three\r\n',
  'without a body': 'Subject: header only\r\n\r\n',
  'without an empty line': 'Subject: header only\r\n',
  'with UTF-8 in its header': 'Subject: Grüße\r\nFrom: Jürgen <jürgen@example.test>\r\n\r\nÜbung\r\n',
  'with 8-bit text': 'Subject: x\r\nContent-Transfer-Encoding: 8bit\r\n\r\nÜbung\r\n',
};

/** Gates by what they were made with; each transcript has its accounts anew. */
const gates = new Map<Pop3GateOptions | undefined, Pop3Gate>();
let gate: Pop3Gate | undefined;

function theGate(): Pop3Gate {
  if (!gate) throw new Error('no gate is open');
  return gate;
}

async function say(conversation: Conversation, command: string): Promise<void> {
  await conversation.send(Buffer.from(`${command}\r\n`));
  const line = await conversation.line();
  if (!line?.startsWith('+OK')) throw new Error(`given: ${line}`);
}

async function connected(stage: Stage, client: number): Promise<Conversation> {
  const conversation = await stage.conversation(client);
  const line = await conversation.line();
  if (!line?.startsWith('+OK')) throw new Error(`given: ${line}`);
  return conversation;
}

runTranscripts(join(import.meta.dirname, 'transcripts'), {
  given: [
    { when: new RegExp(`^(?:${Object.keys(OPTIONS).join('|')})$`), make: () => {} },
    {
      when: /^(\d+) messages?$/,
      make: async ([, count]) => {
        await theGate().beside.fill('INBOX', numbered(Number(count)));
      },
    },
    {
      when: new RegExp(`^a message (${Object.keys(MESSAGES).join('|')})$`),
      make: async ([, name = '']) => {
        await theGate().beside.fill('INBOX', [MESSAGES[name] ?? '']);
      },
    },
    {
      when: /^client (\d+) has connected$/,
      make: async ([, client], stage) => {
        await connected(stage, Number(client));
      },
    },
    {
      when: /^client (\d+) has logged in$/,
      make: async ([, client], stage) => {
        const conversation = await connected(stage, Number(client));
        await say(conversation, 'USER alice@example.test');
        await say(conversation, `PASS ${PASSWORD}`);
      },
    },
    {
      when: /^client (\d+) has said UTF8 and logged in$/,
      make: async ([, client], stage) => {
        const conversation = await connected(stage, Number(client));
        for (const line of ['UTF8', 'USER alice@example.test', `PASS ${PASSWORD}`]) await say(conversation, line);
      },
    },
  ],
  before: async (script) => {
    // Time stands still, so that no time-out helps a session out of a state it should leave by itself.
    const options = script.given.map((condition) => OPTIONS[condition]).find((found) => found);
    gate = gates.get(options);
    if (gate) await gate.beside.renew();
    else gate = await openPop3Gate(options);
    // Nobody's last login is of a replay before.
    if (options?.loginDelay !== undefined && gate.beside.clock instanceof FakeClock) gate.beside.clock.advance(60_000);
    gates.set(options, gate);
  },
  connect: async (_, script) => {
    const socket = await dial(theGate().port);
    if (!script.given.includes('port 995')) return socket;
    const secure = connectTls({ socket, rejectUnauthorized: false });
    await once(secure, 'secureConnect');
    return secure;
  },
});

afterAll(async () => {
  for (const each of gates.values()) await each[Symbol.asyncDispose]();
});
