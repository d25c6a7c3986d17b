// Mutants of SMTP conversations against a real listener: after each one a valid command is answered or the connection
// is closed, and memory does not grow with their number. Seeded; run by smtp.test.ts.

import type { Socket } from 'node:net';
import { dial, type Gate, type GateOptions, openGate } from '../smtp/listener/gate.ts';
import { occupied } from './occupied.ts';
import { mutate, Random } from './random.ts';

const b64 = (text: string) => Buffer.from(text).toString('base64');

/** What a client might say behind the greeting. No VRFY, whose answer is the sign of life. */
const CONVERSATIONS: readonly (readonly [GateOptions, string])[] = [
  [
    { tls: 'none' },
    'EHLO c\r\nMAIL FROM:<a@b.test> SIZE=100 BODY=8BITMIME\r\nRCPT TO:<bob@example.test>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.x\r\ntext\r\n.\r\n',
  ],
  [
    { tls: 'none' },
    'EHLO c\r\nMAIL FROM:<> RET=FULL ENVID=a+2Bb SMTPUTF8\r\nRCPT TO:<"a b"@[IPv6:::1]> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@c\r\nRCPT TO:<Postmaster>\r\nRSET\r\n',
  ],
  [
    { tls: 'none' },
    'HELO [1.2.3.4]\r\nMAIL FROM:<@a,@b:c@d.test>\r\nRCPT TO:<early@example.test>\r\nDATA\r\nx\r\n.\r\nNOOP\r\nHELP\r\nEXPN x\r\n',
  ],
  [
    { tls: 'none' },
    'EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<deaf@example.test>\r\nDATA\r\n\r\n.\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<fail@x.test>\r\nDATA\r\n.\r\n',
  ],
  [
    { role: 'submission', tls: 'none' },
    `EHLO c\r\nAUTH PLAIN ${b64('\0alice\0wonderland')}\r\nMAIL FROM:<a@b.test> AUTH=<>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\nx\r\n.\r\n`,
  ],
  [
    { role: 'submission', tls: 'none' },
    `EHLO c\r\nAUTH LOGIN\r\n${b64('alice')}\r\n${b64('wonderland')}\r\nAUTH PLAIN\r\n*\r\n`,
  ],
  [
    { tls: 'none' },
    'EHLO c\r\nMAIL FROM:<a@b.test> BODY=BINARYMIME\r\nRCPT TO:<bob@example.test>\r\nBDAT 12\r\nSubject: x\r\nBDAT 6 LAST\r\n\r\n\0\n\r.RSET\r\n',
  ],
  [
    { tls: 'none' },
    'EHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<early@example.test>\r\nBDAT 4\r\n\r\nx\rBDAT 0\r\nBDAT 3\r\n\n\r\nRSET\r\nBDAT 6 LAST\r\nQUIT\r\n',
  ],
  [{ tls: 'offered' }, 'EHLO c\r\nSTARTTLS\r\nEHLO c\r\nMAIL FROM:<a@b.test>\r\n'],
  [{ role: 'submission', tls: 'required' }, 'EHLO c\r\nMAIL FROM:<a@b.test>\r\nNOOP\r\nQUIT\r\n'],
];

const WORDS = [
  'SIZE=',
  'SMTPUTF8',
  'DATA\r\n',
  'RSET\r\n',
  'QUIT\r\n',
  'MAIL FROM:<',
  'RCPT TO:<',
  '\r\n.\r\n',
  'EHLO x\r\n',
  'BDAT 5 LAST\r\n',
  'BDAT 2\r\n',
  'BDAT 0 LAST\r\n',
  'GET / HTTP/1.1\r\n',
].map((word) => Buffer.from(word));

/** Ends whatever the mutant left open (a line, a content, an AUTH exchange), then asks for a sign of life. */
const SYNC = Buffer.from('\r\n.\r\nVRFY sync\r\n');
const ALIVE = /^252 [^\n]*\n/m;
/** Where nothing else is answered before TLS. */
const SYNC_QUIT = Buffer.from('\r\n.\r\nQUIT\r\n');
/** A chunk may want more octets than anybody sends: then the end of the connection must be enough. */
const CHUNKED = /BDAT/i;
/** Long: a machine may have better things to do, and whoever hangs does so for ever. */
const PATIENCE = 20_000;

export interface FuzzResult {
  readonly mutants: number;
  readonly alive: number;
  readonly closed: number;
  /** Octets of heap and buffers at the end, less those after the first tenth; both after garbage collection. */
  readonly growth: number;
}

/** @throws Error that names the mutant after which the server neither answered nor closed */
export async function fuzzSmtp(seed: number, mutants: number): Promise<FuzzResult> {
  const gates = await Promise.all(CONVERSATIONS.map(([options]) => openGate({ ...options, messageSize: 10_000 })));
  const random = new Random(seed);
  const open = new Map<Gate, Client>();
  let alive = 0;
  let early = 0;
  try {
    for (let count = 0; count < mutants; count++) {
      const index = random.below(CONVERSATIONS.length);
      const gate = gates[index] as Gate;
      const valid = Buffer.from(CONVERSATIONS[index]?.[1] ?? '', 'latin1');
      const mutant = mutate(random, valid, WORDS);
      // Often on the connection of the one before, so that what one leaves behind meets the next.
      const client = open.get(gate) ?? new Client(await dial(gate.port));
      const lives = await client.survives(
        random.once(4) ? random.pieces(mutant) : [mutant],
        CONVERSATIONS[index]?.[0].tls === 'required' ? SYNC_QUIT : SYNC,
        () => `seed ${seed}, mutant ${count}: ${JSON.stringify(mutant.toString('latin1'))}`,
      );
      if (lives) alive++;
      if (lives && client.usable && !random.once(8)) open.set(gate, client);
      else {
        client.destroy();
        open.delete(gate);
      }
      if (count % 500 === 0) for (const each of gates) each.forget();
      if (count === Math.floor(mutants / 10)) early = await settled(gates);
    }
    for (const client of open.values()) client.destroy();
    await left(gates);
    return { mutants, alive, closed: mutants - alive, growth: (await settled(gates)) - early };
  } finally {
    for (const gate of gates) await gate[Symbol.asyncDispose]();
  }
}

/** Waits until no session outlives its client. @throws Error where one does */
async function left(gates: readonly Gate[]): Promise<void> {
  const sessions = () => gates.reduce((sum, gate) => sum + gate.smtp.sessions, 0);
  for (let waited = 0; sessions() > 0; waited += 20) {
    if (waited > PATIENCE) throw new Error(`${sessions()} sessions without a client`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function settled(gates: readonly Gate[]): Promise<number> {
  for (const gate of gates) gate.forget();
  return await occupied();
}

class Client {
  readonly #socket: Socket;
  #heard = '';
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    const end = () => {
      this.#closed = true;
      this.#wake?.();
    };
    socket.setEncoding('latin1').on('error', end).on('end', end).on('close', end);
    socket.on('data', (text: string) => {
      this.#heard = (this.#heard + text).slice(-65_536);
      this.#wake?.();
    });
  }

  /** True if a valid command was answered behind the mutant, false if the server had closed. */
  async survives(pieces: readonly Buffer[], sync: Buffer, name: () => string): Promise<boolean> {
    this.#heard = '';
    for (const piece of pieces) {
      this.#socket.write(piece);
      if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#socket.write(sync);
    if (CHUNKED.test(Buffer.concat(pieces).toString('latin1'))) this.#socket.end();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer and no end: ${name()}`)), PATIENCE);
      let upgrading = false;
      this.#wake = () => {
        // What came in clear behind STARTTLS is lost, as it must be; said again it is a bad handshake.
        if (!upgrading && /^220 2\.0\.0 /m.test(this.#heard)) {
          upgrading = true;
          this.#socket.write(sync);
        }
        if (!this.#closed && (sync === SYNC_QUIT || !ALIVE.test(this.#heard))) return;
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      this.#wake();
    });
    return !this.#closed;
  }

  /** Something more can be said. */
  get usable(): boolean {
    return this.#socket.writable;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
