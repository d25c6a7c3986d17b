// COMPRESS=DEFLATE (RFC 4978): everything goes on as before inside the compressed stream, a stream that becomes much more
// than it was fills no memory, and one that is none ends its own connection only.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ImapClient } from '../clients/imap.ts';
import { occupied } from '../fuzz/occupied.ts';
import { type Gate, openGate, PASSWORD } from './gate.ts';

const MiB = 1_048_576;
const login = { user: 'alice@example.test', password: PASSWORD };

let gate: Gate;
beforeAll(async () => {
  gate = await openGate({});
});
afterAll(() => gate[Symbol.asyncDispose]());

/** A client's end of a compressed stream. */
class Compressed implements Disposable {
  readonly socket: Socket;
  readonly deflate: DeflateRaw = createDeflateRaw();
  readonly #inflate = createInflateRaw();
  #said = '';
  #wake: () => void = () => {};
  received = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    for (const event of ['data', 'end', 'close']) socket.removeAllListeners(event);
    this.deflate.pipe(socket);
    socket.pipe(this.#inflate);
    socket.on('data', (octets: Buffer) => {
      this.received += octets.length;
    });
    this.#inflate.on('data', (octets: Buffer) => {
      this.#said += octets.toString('latin1');
      this.#wake();
    });
    for (const stream of [socket, this.#inflate]) stream.on('error', () => {});
    socket.on('close', () => this.#inflate.end());
    this.#inflate.on('close', () => this.#wake());
  }

  /** Logs in and compresses. */
  static async open(): Promise<Compressed> {
    const client = await ImapClient.open({ port: gate.port }, login);
    await client.done('COMPRESS DEFLATE');
    return new Compressed(client.link.socket as Socket); // in clear
  }

  say(text: string): void {
    this.deflate.write(text);
    this.deflate.flush(constants.Z_SYNC_FLUSH);
  }

  /** What comes up to `last`, with it, or up to the end. */
  async until(last: RegExp): Promise<string> {
    for (;;) {
      const found = last.exec(this.#said);
      if (found !== null) {
        const end = found.index + found[0].length;
        const text = this.#said.slice(0, end);
        this.#said = this.#said.slice(end);
        return text;
      }
      if (this.#inflate.closed) return this.#said;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The socket, whose octets are not inflated any more. */
  plain(): Socket {
    this.deflate.unpipe(this.socket);
    this.socket.unpipe(this.#inflate).resume();
    return this.socket;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

test('is for who has logged in, and knows one algorithm', async () => {
  using client = await ImapClient.open({ port: gate.port });
  expect((await client.command('COMPRESS DEFLATE')).status).toBe('BAD');
  await client.done(`LOGIN ${login.user} ${login.password}`);
  expect(await client.command('COMPRESS GZIP')).toMatchObject({ status: 'BAD' });
  expect((await client.command('COMPRESS')).status).toBe('BAD');
  expect((await client.done('CAPABILITY'))[0]?.text).toMatch(/ COMPRESS=DEFLATE\b/);
});

test('carries commands, literals and news, and is not put on twice', async () => {
  await gate.fill('Mail', ['Subject: one\r\n\r\nfirst\r\n']);
  using client = await Compressed.open();
  client.say('a SELECT Mail\r\n');
  expect(await client.until(/^a OK.*\r\n/m)).toContain('* 1 EXISTS\r\n');
  client.say('b COMPRESS DEFLATE\r\n');
  expect(await client.until(/^b .*\r\n/m)).toMatch(/^b BAD \[COMPRESSIONACTIVE\] /m);
  client.say('c CAPABILITY\r\n');
  expect(await client.until(/^c .*\r\n/m)).not.toContain('COMPRESS=');
  client.say('d APPEND Mail {18+}\r\nSubject: two\r\n\r\n!!\r\n');
  expect(await client.until(/^d .*\r\n/m)).toMatch(/^d OK \[APPENDUID /m);
  client.say('e FETCH 1 BODY[]\r\nf IDLE\r\n');
  expect(await client.until(/^\+ .*\r\n/m)).toContain('BODY[] {23}\r\nSubject: one\r\n\r\nfirst\r\n');
  await gate.fill('Mail', ['Subject: three\r\n\r\n']);
  await client.until(/^\* 3 EXISTS\r\n/m);
  client.say('DONE\r\ng LOGOUT\r\n');
  expect(await client.until(/^g OK.*\r\n/m)).toContain('* BYE ');
  await client.until(/never/);
});

test('carries large bodies whole, as often as they are asked for', async () => {
  const text = `Subject: large\r\n\r\n${randomBytes(300_000).toString('hex')}\r\n`;
  await gate.fill('Large', [text]);
  using client = await Compressed.open();
  client.say('a SELECT Large\r\nb FETCH 1 (BODY.PEEK[] BODY.PEEK[])\r\n');
  expect((await client.until(/^b OK.*\r\n/m)).split(text)).toHaveLength(3);
  client.say('c FETCH 1 BODY.PEEK[]\r\n');
  expect((await client.until(/^c OK.*\r\n/m)).split(text)).toHaveLength(2);
});

test('ends with UNAUTHENTICATE, also where the client goes on at once', async () => {
  const again = `LOGIN ${login.user} ${login.password}\r\n`;
  const answered = async (socket: Socket, last: RegExp): Promise<string> => {
    let said = '';
    while (!last.test(said)) said += (await once(socket, 'data'))[0].toString('latin1');
    return said;
  };
  using client = await Compressed.open();
  client.say('a UNAUTHENTICATE\r\n');
  expect(await client.until(/^a .*\r\n/m)).toMatch(/^a OK \[CAPABILITY /m);
  client.plain().write(`b ${again}`);
  expect(await answered(client.socket, /^b .*\r\n/m)).toMatch(/^b OK \[CAPABILITY .* COMPRESS=DEFLATE/);

  using other = await Compressed.open();
  const socket = other.plain();
  const parts: Buffer[] = [];
  other.deflate.on('data', (part: Buffer) => parts.push(part)).resume();
  other.deflate.end('a UNAUTHENTICATE\r\n');
  await once(other.deflate, 'end');
  socket.write(Buffer.concat([...parts, Buffer.from(`b ${again}c CAPABILITY\r\nd compress deflate\r\n`)]));
  expect(await answered(socket, /^d .*\r\n/m)).toMatch(/d OK /);
});

test('makes text small', async () => {
  await gate.fill('Text', [
    Buffer.from(`Subject: x\r\n\r\n${'All work and no play makes Jack a dull boy.\r\n'.repeat(20_000)}`),
  ]);
  using client = await Compressed.open();
  client.say('a SELECT Text\r\nb FETCH 1 BODY[]\r\n');
  expect((await client.until(/^b OK.*\r\n/m)).length).toBeGreaterThan(20_000 * 45);
  expect(client.received).toBeLessThan(20_000);
});

test('a stream that becomes much more than it was fills no memory', async () => {
  using client = await Compressed.open();
  client.say('a NOOP\r\n');
  await client.until(/^a OK.*\r\n/m);
  const before = await occupied();
  const spaces = Buffer.alloc(MiB, ' ');
  for (let count = 0; count < 256 && !client.socket.destroyed; count++) {
    await new Promise<void>((resolve) => client.deflate.write(spaces, () => resolve()));
  }
  client.say('\r\n');
  // One line that never ends is dropped up to a limit, and then the connection is.
  expect(await client.until(/never/)).toMatch(/^\* (?:BAD|BYE) /m);
  expect((await occupied()) - before).toBeLessThan(16 * MiB);
});

test('who does not read holds up its own command only', async () => {
  await gate.fill('Noise', [Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), randomBytes(24 * MiB)])]);
  using client = await Compressed.open();
  client.say('a SELECT Noise\r\n');
  await client.until(/^a OK.*\r\n/m);
  using other = await ImapClient.open({ port: gate.port }, login);
  const before = await occupied();
  client.socket.unpipe();
  client.socket.pause();
  client.say('b FETCH 1 BODY.PEEK[]\r\n');
  for (let count = 0; count < 200; count++) await other.done('NOOP');
  expect((await occupied()) - before).toBeLessThan(12 * MiB);
});

test.each([
  ['octets that are not deflated', Buffer.from('a NOOP\r\nb NOOP\r\n')],
  ['noise', Buffer.from('ffffffffdeadbeef', 'hex')],
])('%s end the connection, and no other', async (_, octets) => {
  using other = await ImapClient.open({ port: gate.port }, login);
  using client = await Compressed.open();
  client.deflate.unpipe();
  client.socket.write(octets);
  await client.until(/never/);
  expect(client.socket.destroyed).toBe(true);
  await other.done('NOOP');
});
