// The transcript tool, tested on a toy server: above all that it fails when it must, since every protocol test hangs
// on that.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Players, parseScripts, type Replay, replay, runTranscripts, ScriptError } from './transcript.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

/** A server that greets, answers each line by `answer`, and says nothing more. */
async function toy(answer: (line: string, socket: Socket) => string, greeting = '220 toy ready\r\n'): Promise<Players> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(greeting);
    let rest = '';
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        socket.write(answer(rest.slice(0, end), socket), 'latin1');
        rest = rest.slice(end + 2);
      }
    });
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { connect: async () => connect({ port, host: '127.0.0.1' }) };
}

const echo = (line: string): string => `250 ${line}\r\n`;

async function play(lines: string, players: Players, how: Replay = 'lines'): Promise<void> {
  const [script] = parseScripts(`rfc: RFC 5321 §4.2\ntitle: a toy\n${lines}`, 'toy.transcript');
  if (!script) throw new Error('no script');
  await replay(script, how, players);
}

describe('passes', () => {
  const conversation = 'S: 220 toy <text>\nC: one\nC: two\nS: 250 one\nS: 250 two';
  test('line by line', async () => play(conversation, await toy(echo)));
  test('octet by octet', async () => {
    let reads = 0;
    const players = await toy(echo);
    const [script] = parseScripts(`rfc: RFC 5321 §4.2\ntitle: t\n${conversation}`, 'toy');
    if (!script) throw new Error('no script');
    const server = servers[0];
    server?.on('connection', (socket) => socket.on('data', () => reads++));
    await replay(script, 'octets', players);
    // 10 octets were sent; the kernel may join a few, but not most of them.
    expect(reads).toBeGreaterThan(5);
  });
  test('lines in any order, where marked', async () =>
    play('S: 220 toy ready\nC: x\nS*: 2\nS*: 1\nS: 3', await toy(() => '1\r\n2\r\n3\r\n')));
  test('captures, base64, repetition', async () =>
    play(
      'S: 220 toy ready\nC: 42\nS: 250 <number:v>\nC: <=v> <repeat 3 x> <base64 \\0a>\nS: 250 42 xxx AGE=',
      await toy(echo),
    ));
  test('raw octets', async () => play('S: 220 toy ready\nC!: a\\x41\\r\\n\nS: 250 aA', await toy(echo)));
  test('the end of the connection', async () =>
    play(
      'S: 220 toy ready\nC: bye\nS: 221 so\nS: <closes the connection>',
      await toy((_, socket) => {
        setImmediate(() => socket.end());
        return '221 so\r\n';
      }),
    ));
  test('a second client and a given', async () => {
    const made: string[] = [];
    const players: Players = {
      ...(await toy(echo)),
      given: [{ when: /the number (\d+)/, make: (match) => void made.push(match[1] ?? '') }],
    };
    await play('given: the number 4; the number 5\nS: 220 toy ready\nS2: 220 toy ready\nC2: x\nS2: 250 x', players);
    expect(made).toEqual(['4', '5']);
  });
});

describe('fails', () => {
  const fails = async (lines: string, message: RegExp, players?: Players): Promise<void> => {
    const server = players ?? (await toy(echo));
    for (const how of ['lines', 'octets'] as const) await expect(play(lines, server, how)).rejects.toThrow(message);
  };
  test('another line', () => fails('S: 220 toy ready\nC: x\nS: 251 x', /toy\.transcript:5.*\n? *expected/s));
  const inVain = async (lines: string) => fails(lines, /waited 300 ms/, { ...(await toy(echo)), patience: 300 });
  test('a line too few', () => inVain('S: 220 toy ready\nS: 220 more'));
  test('a line too many, before the next', async () =>
    fails('S: 220 toy ready\nC: x\nS: 1\nC: y\nS: 1', /but got {3}2/, await toy(() => '1\r\n2\r\n')));
  test('a line too many, at the end', async () =>
    fails('S: 220 toy ready\nC: x\nS: 1', /still said: 2/, await toy(() => '1\r\n2\r\n')));
  test('half a line too many', async () =>
    fails('S: 220 toy ready\nC: x\nS: 1', /still said: half/, await toy(() => '1\r\nhalf')));
  test('another order, where not marked', async () =>
    fails('S: 220 toy ready\nC: x\nS: 2\nS: 1', /but got/, await toy(() => '1\r\n2\r\n')));
  test('a bare LF', async () => fails('S: 220 toy ready\nC: x\nS: 1', /bare LF/, await toy(() => '1\n')));
  test('a response code where text is expected', async () =>
    fails('S: 220 toy ready\nC: x\nS: OK <text>', /but got/, await toy(() => 'OK [ALERT] x\r\n')));
  test('an end that did not come', () => inVain('S: 220 toy ready\nS: <closes the connection>'));
  test('an end that came', async () =>
    fails(
      'S: 220 toy ready\nC: x\nS: 1\nC: y\nS: 1',
      /closed|gone/,
      await toy((_, socket) => {
        setImmediate(() => socket.destroy());
        return '1\r\n';
      }),
    ));
  test('a condition that nobody makes', () => fails('given: a miracle\nS: 220 toy ready', /nothing makes this true/));
  test('a line in clear behind the go-ahead', async () =>
    fails(
      'S: 220 toy ready\nC: STARTTLS\nS: 220 go\nC & S: <negotiate a TLS session>',
      /in clear behind/,
      await toy(() => '220 go\r\n250 early\r\n'),
    ));
});

test.each([
  'S: 220 no header',
  'rfc: RFC 5321 §4\nS: no title',
  'rfc: RFC 5321 §4\ntitle: no lines',
  'rfc: RFC 5321 §4\ntitle: x\nX: what',
  'rfc: RFC 5321 §4\ntitle: x\nC*: what',
  'rfc: RFC 5321 §4\ntitle: x\nS!: what',
  'rfc: RFC 5321 §4\ntitle: x\nC1 & S2: <negotiate a TLS session>',
  'rfc: RFC 5321 §4\ntitle: x\nonly: sometimes\nC: x',
])('refuses what is no transcript: %j', (text) => {
  expect(() => parseScripts(text, 'bad')).toThrow(ScriptError);
});

test('refuses wildcards that do not exist', async () => {
  await expect(play('S: 220 <txet>', await toy(echo))).rejects.toThrow(/no wildcard is called <txet>/);
});

test('refuses a folder without transcripts', () => {
  expect(() => runTranscripts('src/formats', { connect: () => Promise.reject(new Error('unused')) })).toThrow(
    /no transcripts/,
  );
});
