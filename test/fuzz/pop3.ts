// Mutants of POP3 conversations against a real listener and store: after each one CAPA and QUIT are answered in turn, or the
// connection was closed before; nothing is deleted by who did not say QUIT, and memory does not grow with their number.
// Seeded; run by pop3.test.ts.

import { once } from 'node:events';
import { systemClock } from '../../src/platform/clock.ts';
import { dial, numbered, PASSWORD } from '../imap/gate.ts';
import { openPop3Gate, type Pop3Gate } from '../pop3/gate.ts';
import { occupied } from './occupied.ts';
import { mutate, Random } from './random.ts';

const LOGIN = `USER alice@example.test\r\nPASS ${PASSWORD}\r\n`;
const PLAIN = Buffer.from(`\0alice@example.test\0${PASSWORD}`).toString('base64');

/** What a client might say behind the greeting. */
const CONVERSATIONS: readonly string[] = [
  `CAPA\r\nUTF8\r\n${LOGIN}STAT\r\nLIST\r\nUIDL\r\n`,
  `AUTH PLAIN ${PLAIN}\r\nLIST 1\r\nUIDL 2\r\nRETR 3\r\n`,
  `AUTH PLAIN\r\n${PLAIN}\r\nTOP 1 0\r\nTOP 9 3\r\nNOOP\r\n`,
  `AUTH LOGIN\r\n*\r\nAUTH LOGIN\r\nYWxpY2VAZXhhbXBsZS50ZXN0\r\nd29uZGVybGFuZA==\r\nSTAT\r\n`,
  `${LOGIN}RETR 9\r\nRETR 10\r\nDELE 1\r\nDELE 2\r\nRSET\r\nDELE 3\r\nLIST\r\nSTAT\r\n`,
  `STLS\r\nUSER bob@example.test\r\nPASS wrong\r\n${LOGIN}UIDL\r\nTOP 10 100\r\n`,
];

/** Messages that are hard on lines. */
const HARD: readonly Buffer[] = ['Subject: x\r\n\r\n.\r\n..\r\n.\n.\r\n\n.', 'no header\n\n\r\r\n\0\r\n.'].map((text) =>
  Buffer.from(text, 'latin1'),
);

const WORDS = [
  'CAPA\r\n',
  'QUIT\r\n',
  'RETR ',
  'TOP ',
  'AUTH ',
  'DELE 1\r\n',
  '*\r\n',
  '=\r\n',
  'GET / HTTP/1.1\r\n',
].map((word) => Buffer.from(word));

/** Long: a machine may have better things to do, and whoever hangs does so for ever. */
const PATIENCE = 20_000;
/** What CAPA and QUIT are answered, one behind the other. */
const IN_STEP = /\r\nIMPLEMENTATION Postern\r\n\.\r\n\+OK [^\r\n]*\r\n$/;

export interface FuzzResult {
  readonly mutants: number;
  readonly alive: number;
  readonly closed: number;
  /** Octets of heap and buffers at the end, less those after the first tenth; both after garbage collection. */
  readonly growth: number;
}

/** @throws Error that names the mutant after which the server neither answered nor closed */
export async function fuzzPop3(seed: number, mutants: number): Promise<FuzzResult> {
  await using gate = await openPop3Gate({ clock: systemClock, tls: 'none' });
  const random = new Random(seed);
  let alive = 0;
  let early = 0;
  for (let count = 0; count < mutants; count++) {
    if (count % 50 === 0) await refill(gate);
    const mutant = mutate(random, Buffer.from(random.pick(CONVERSATIONS), 'latin1'), WORDS);
    // One in four goes without a word of farewell, and takes nothing along.
    const quits = !random.once(4);
    const before = quits ? 0 : await standing(gate);
    const said = await converse(gate, random.once(4) ? random.pieces(mutant) : [mutant], quits, () => {
      return `seed ${seed}, mutant ${count}: ${JSON.stringify(mutant.toString('latin1'))}`;
    });
    if (!quits && !/QUIT/i.test(mutant.toString('latin1')) && (await standing(gate)) !== before) {
      throw new Error(`deleted without QUIT: ${mutant}`);
    }
    if (!quits || IN_STEP.test(said)) alive++;
    if (count === Math.floor(mutants / 10)) early = await settled(gate);
  }
  return { mutants, alive, closed: mutants - alive, growth: (await settled(gate)) - early };
}

/** Sends a mutant and, if it quits, what ends a SASL exchange, CAPA and QUIT. @returns all that was heard, its end */
async function converse(
  gate: Pop3Gate,
  pieces: readonly Buffer[],
  quits: boolean,
  name: () => string,
): Promise<string> {
  const socket = await dial(gate.port);
  let said = '';
  socket.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('latin1')).slice(-4_096);
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close', { signal: AbortSignal.timeout(PATIENCE) });
  for (const piece of pieces) {
    socket.write(piece);
    if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end(quits ? '\r\n*\r\nCAPA\r\nQUIT\r\n' : '');
  await closed.catch(() => {
    throw new Error(`neither answered nor closed: ${name()}\n${said}`);
  });
  await left(gate);
  return said;
}

/** Waits until no session outlives its client. @throws Error where one does */
async function left(gate: Pop3Gate): Promise<void> {
  for (let waited = 0; gate.pop3.sessions > 0; waited++) {
    if (waited > PATIENCE) throw new Error(`${gate.pop3.sessions} sessions without a client`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function standing({ beside }: Pop3Gate): Promise<number> {
  return (await beside.store.read.mailboxByName(beside.alice, 'INBOX'))?.messages ?? 0;
}

/** Ten messages to work on, however many the mutants have taken away. */
async function refill({ beside }: Pop3Gate): Promise<void> {
  const inbox = await beside.store.read.mailboxByName(beside.alice, 'INBOX');
  if (inbox) await beside.store.execute({ kind: 'expunge', mailbox: inbox.id, uids: null, force: true, view: null });
  await beside.fill('INBOX', [...numbered(8), ...HARD]);
  beside.forget();
}

async function settled(gate: Pop3Gate): Promise<number> {
  await refill(gate);
  return await occupied();
}
