// Mutants of IMAP conversations against a real listener and store: after each one a valid command is answered or the
// connection is closed, and memory does not grow with their number. Seeded; run by imap.test.ts.

import type { Socket } from 'node:net';
import { LIMIT } from '../../src/imap/limits.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { dial, type Gate, numbered, openGate, PASSWORD } from '../imap/gate.ts';
import { occupied } from './occupied.ts';
import { mutate, Random } from './random.ts';

const LOGIN = `l LOGIN alice@example.test ${PASSWORD}\r\n`;
const OPEN = `${LOGIN}s SELECT INBOX\r\n`;

/** What a client might say behind the greeting. */
const CONVERSATIONS: readonly string[] = [
  'a CAPABILITY\r\na ID ("name" "x" "version" NIL)\r\na LOGIN "alice@example.test" {10+}\r\nwonderland\r\na ENABLE X\r\n',
  'a LOGIN {18+}\r\nalice@example.test {10+}\r\nwonderland\r\na NAMESPACE\r\na LIST "" "%"\r\na LSUB "" *\r\n',
  `a AUTHENTICATE PLAIN\r\n${Buffer.from(`\0alice@example.test\0${PASSWORD}`).toString('base64')}\r\na STATUS INBOX (MESSAGES UIDNEXT)\r\n`,
  `a AUTHENTICATE SCRAM-SHA-256 ${Buffer.from('n,,n=alice@example.test,r=abc').toString('base64')}\r\n${Buffer.from('c=biws,r=abc,p=AAAA').toString('base64')}\r\n${LOGIN}a NOOP\r\n`,
  `a AUTHENTICATE LOGIN\r\n*\r\n${LOGIN}a IDLE\r\nDONE\r\n`,
  `${LOGIN}a CREATE x/&AOk-/y\r\na SUBSCRIBE x\r\na RENAME x z\r\na DELETE z/&AOk-/y\r\na DELETE z\r\na UNSUBSCRIBE x\r\n`,
  `${LOGIN}a APPEND INBOX (\\Seen $x) " 1-Jan-2020 00:00:00 +0100" {17+}\r\nSubject: x\r\n\r\nxyz\r\na APPEND Sent {4+}\r\nabcd\r\n`,
  `${LOGIN}a APPEND INBOX (\\Seen) {3+}\r\nabc " 1-Jan-2020 00:00:00 +0100" {4+}\r\nabcd {0+}\r\n\r\nb APPEND Sent {1+}\r\nx {2+}\r\nyz\r\n`,
  `${LOGIN}a GENURLAUTH "imap://alice%40example.test@mail.example.test/INBOX/;uid=1;expire=2099-01-01T00:00:00Z;urlauth=user+a" INTERNAL\r\na RESETKEY INBOX INTERNAL\r\na URLFETCH "imap://alice%40example.test@mail.example.test/INBOX/;uid=1;urlauth=anonymous:internal:0123456789012345678901234567890123" x ("nothing" BINARY BODYPARTSTRUCTURE) (y BODY)\r\n`,
  `${OPEN}a REPLACE 1 INBOX (\\Draft) {3+}\r\nabc\r\na UID REPLACE * Sent CATENATE (URL ;UID=2 TEXT {2+}\r\nxy)\r\n`,
  `${OPEN}a APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(a)/;PARTIAL=1.9" TEXT {2+}\r\nab URL ;UID=2) {3+}\r\nabc\r\n`,
  `${OPEN}a APPEND Sent (\\Seen) CATENATE (TEXT {2+}\r\nab URL {28+}\r\nimap://mail.example.test/x/;) CATENATE (URL x)\r\nb NOOP\r\n`,
  `${OPEN}a FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)\r\na UID FETCH 1:5,7:* FULL\r\n`,
  `${OPEN}a FETCH 2 (BODY.PEEK[] BODY[HEADER.FIELDS (SUBJECT "To")]<2.10> BODY.PEEK[1.MIME] BODY[TEXT])\r\na FETCH 3 RFC822\r\n`,
  `${OPEN}a STORE 1:3 +FLAGS.SILENT (\\Deleted $a)\r\na UID STORE 4 FLAGS \\Seen\r\na EXPUNGE\r\na UID EXPUNGE 1:4\r\na CHECK\r\n`,
  `${OPEN}a SEARCH CHARSET UTF-8 OR (FROM "a" NOT SEEN) 1:4 SINCE 1-Feb-1994 HEADER X-Y {3+}\r\nabc LARGER 5\r\na UID SEARCH TEXT b\r\n`,
  `${OPEN}a SEARCH RETURN (SAVE MIN PARTIAL -1:-3 UPDATE RELEVANCY) FUZZY TEXT "b c" OLDER 5\r\na FETCH $ UID\r\na STORE 1 +FLAGS \\Seen\r\n`,
  `${OPEN}a SORT RETURN (UPDATE ALL) (REVERSE DATE DISPLAYFROM) UTF-8 OR $ 1:4\r\nb CANCELUPDATE "a"\r\na SORT (SUBJECT) UTF-8 ALL\r\n`,
  `${OPEN}a THREAD REFERENCES UTF-8 ALL\r\na UID THREAD REFS US-ASCII 1:3\r\na UID FETCH 1:* UID (PARTIAL -1:-3 CHANGEDSINCE 1)\r\n`,
  `${OPEN}a ESEARCH IN (selected subtree-one (INBOX x) personal) RETURN (COUNT) UNSEEN\r\na ESEARCH RETURN (SAVE) SUBJECT "message 2"\r\n`,
  `${OPEN}a COPY 1:2 Archive\r\na UID MOVE 3 Trash\r\na CLOSE\r\na EXAMINE "INBOX"\r\na UNSELECT\r\na NOOP\r\na LOGOUT\r\n`,
];

const WORDS = [
  'UID ',
  'FETCH ',
  'BODY[',
  '(((',
  ')))',
  'NIL',
  '1:*',
  '$',
  'LOGOUT\r\n',
  'STARTTLS\r\n',
  'IDLE\r\n',
  'DONE\r\n',
  '{0+}\r\n',
  '{100000+}\r\n',
  '\\Recent',
  'GET / HTTP/1.1\r\n',
].map((word) => Buffer.from(word));

/** Long: a machine may have better things to do, and whoever hangs does so for ever. */
const PATIENCE = 20_000;
/** Octets for a literal that a mutant has announced, before an end for its line: enough for most, for nearly all, and
 * more than any that is read at all. */
const FILLERS = [200_000, 2_000_000, LIMIT.skipped + 200_000] as const;

export interface FuzzResult {
  readonly mutants: number;
  readonly alive: number;
  readonly closed: number;
  /** Octets of heap and buffers at the end, less those after the first tenth; both after garbage collection. */
  readonly growth: number;
}

/** @throws Error that names the mutant after which the server neither answered nor closed */
export async function fuzzImap(seed: number, mutants: number): Promise<FuzzResult> {
  await using gate = await openGate({
    clock: systemClock,
    tls: 'none',
    limits: { literal: 10_000, message: 100_000, header: 10_000 },
  });
  const random = new Random(seed);
  let alive = 0;
  let early = 0;
  for (let count = 0; count < mutants; count++) {
    if (count % 200 === 0) await refill(gate);
    const valid = Buffer.from(random.pick(CONVERSATIONS), 'latin1');
    const mutant = mutate(random, valid, WORDS);
    const client = new Client(await dial(gate.port));
    const lives = await client.survives(
      random.once(4) ? random.pieces(mutant) : [mutant],
      () => `seed ${seed}, mutant ${count}: ${JSON.stringify(mutant.toString('latin1'))}`,
    );
    if (lives) alive++;
    client.destroy();
    if (count === Math.floor(mutants / 10)) early = await settled(gate);
  }
  await left(gate);
  return { mutants, alive, closed: mutants - alive, growth: (await settled(gate)) - early };
}

/** A few messages to work on, however many the mutants have made or taken away. */
async function refill(gate: Gate): Promise<void> {
  for (const { id, name, messages } of await gate.store.read.mailboxes(gate.alice)) {
    if (messages > 0) await gate.store.execute({ kind: 'expunge', mailbox: id, uids: null, force: true, view: null });
    if (/[xz&]/i.test(name) && name !== 'INBOX') {
      await gate.store.execute({ kind: 'delete-mailbox', mailbox: id }).catch(() => undefined);
    }
  }
  await gate.fill('INBOX', numbered(8));
  gate.forget();
}

/** Waits until no session outlives its client. @throws Error where one does */
async function left(gate: Gate): Promise<void> {
  for (let waited = 0; gate.imap.sessions > 0; waited += 20) {
    if (waited > PATIENCE) throw new Error(`${gate.imap.sessions} sessions without a client`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function settled(gate: Gate): Promise<number> {
  await refill(gate);
  return await occupied();
}

class Client {
  readonly #socket: Socket;
  #said = '';
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString('latin1')).slice(-4_096);
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Sends a mutant, then signs of life until one is answered. @returns false: the server closed. @throws Error */
  async survives(pieces: readonly Buffer[], name: () => string): Promise<boolean> {
    for (const piece of pieces) {
      this.#socket.write(piece);
      if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    // First what ends a line, a SASL exchange, IDLE; then, for a literal that still takes octets, more than it can take.
    const deadline = Date.now() + PATIENCE;
    this.#socket.write('\r\nDONE\r\nsync0 NOOP\r\n');
    for (let tries = 0; !this.#closed; tries++) {
      if (/^sync\d OK/m.test(this.#said)) return true;
      if (Date.now() > deadline) throw new Error(`neither answered nor closed: ${name()}\n${this.#said}`);
      const filler = FILLERS[tries];
      if (!(await this.#hears(tries === 0 ? 30 : 200)) && filler !== undefined) {
        this.#socket.write(Buffer.alloc(filler, 'x'));
        this.#socket.write(`\r\nDONE\r\nsync${tries + 1} NOOP\r\n`);
      }
    }
    return false;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** True when something came within `ms`. */
  #hears(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
