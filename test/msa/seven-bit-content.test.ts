// Which submitted messages are made 7-bit on their way to the queue, and what the queue is told of them.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MailParameters } from '../../src/formats/envelope.ts';
import { createMsa } from '../../src/msa/submit.ts';
import { createDkimSigner } from '../../src/trust/dkim/signer.ts';
import { agentWorld, lines, smtpSession, transact } from '../mta/smtp-session.ts';
import { good, SELECTORS, verify } from '../trust/verifier.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-seven-'));
});
afterAll(() => rm(folder, { recursive: true }));

const REMOTE = ['eve@remote.test'];
const HEADER = ['From: alice@example.test', 'MIME-Version: 1.0', 'Date: x', 'Message-ID: <1@x>'];
const TEXT = ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'];
/** As the wire has it: one character for each octet. */
const wire = (text: string): string => Buffer.from(text).toString('latin1');

async function submit(content: string, parameters: MailParameters, to = REMOTE, expected = '250') {
  const { options, store } = await agentWorld();
  const [alice] = await store.read.accounts();
  if (alice === undefined) throw new Error('alice is not there');
  const identity = { accountId: alice.id, address: alice.address, mechanism: 'PLAIN' };
  const session = smtpSession({ identity, localPort: 587 });
  const dkim = createDkimSigner({ folder, domains: ['example.test'], clock: options.clock, ...SELECTORS });
  const receiver = createMsa({ ...options, dkim, limits: { messageSize: 5_000_000, headerSize: 400_000 } });
  const { reply } = await transact(receiver, { from: 'alice@example.test', to, content, parameters, session });
  expect(reply).toBe(expected);
  const [accept] = store.accepted;
  const body = store.body(accept);
  const prefix = Buffer.from(accept?.dispatch?.prefix ?? []).toString('latin1');
  return { whole: prefix + body, rest: body.slice(body.indexOf('From: alice')), sent: accept?.dispatch?.parameters };
}

const EIGHT_BIT: MailParameters = { body: '8BITMIME', ret: 'HDRS' };

describe('made 7-bit', () => {
  it.each([
    ['a text', lines(...HEADER, ...TEXT, '', 'Viele Grüße'), EIGHT_BIT],
    ['a text that MAIL said nothing of', lines(...HEADER, ...TEXT, '', 'Viele Grüße'), { ret: 'HDRS' as const }],
    ['no text at all', lines('From: alice@example.test', '', 'Viele Grüße'), EIGHT_BIT],
    [
      'a text before much else',
      lines(
        ...HEADER,
        'Content-Type: multipart/mixed; boundary=b',
        'Content-Transfer-Encoding: 8bit',
        '',
        '--b',
        ...TEXT,
        '',
        'Viele Grüße',
        '--b',
        'Content-Type: a/b',
        'Content-Transfer-Encoding: base64',
        '',
        `${'A'.repeat(76)}\r\n`.repeat(20_000),
        '--b--',
      ),
      EIGHT_BIT,
    ],
  ])('%s, and then signed; the next hop hears no more of 8BITMIME', async (_, content, parameters) => {
    const { whole, sent } = await submit(wire(content), parameters);
    expect(whole).toMatch(/^[\t\r\n -~]*$/);
    expect(whole).toContain('Viele Gr=C3=BC=C3=9Fe');
    expect(sent).toEqual({ ret: 'HDRS' });
    expect(await verify(Buffer.from(whole, 'latin1'), folder, ['example.test'])).toEqual(good('example.test'));
  });

  it('a text of long lines, which others would break', async () => {
    const text = 'all on one line '.repeat(200);
    const { whole } = await submit(lines(...HEADER, 'Content-Type: text/html', '', text), {});
    for (const line of whole.split('\r\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(whole).toContain('Content-Transfer-Encoding: quoted-printable');
  });

  it('a text of an unknown charset says so', async () => {
    const { whole } = await submit('From: alice@example.test\r\n\r\nein Gru\xdf\r\n', {});
    expect(whole).toMatch(/^Content-Type: text\/plain; charset=unknown-8bit\r$/m);
    expect(whole).toContain('ein Gru=DF');
  });
});

describe('left as it is', () => {
  const signed = [
    ...HEADER,
    'Content-Type: multipart/signed; boundary=b',
    '',
    '--b',
    ...TEXT,
    '',
    'Viele Grüße',
    '--b--',
  ];
  it.each<readonly [string, string, MailParameters, MailParameters]>([
    ['what is 7-bit already, whatever MAIL said', lines(...HEADER, ...TEXT, '', 'hello'), EIGHT_BIT, { ret: 'HDRS' }],
    ['what is signed', lines(...signed), EIGHT_BIT, EIGHT_BIT],
    ['what is signed, and MAIL did not say so', lines(...signed), {}, { body: '8BITMIME' }],
    [
      'a header in UTF-8',
      lines('From: alice@example.test', 'X: ü', '', 'x'),
      { smtputf8: true },
      { smtputf8: true, body: '8BITMIME' },
    ],
    ['what is binary', lines(...HEADER, '', 'ü'), { body: 'BINARYMIME' }, { body: 'BINARYMIME' }],
    ['a header that nobody agrees on', lines('From: alice@example.test', 'oops', '', 'ü'), {}, { body: '8BITMIME' }],
  ])('%s', async (_, content, parameters, expected) => {
    const { rest, sent } = await submit(wire(content), parameters);
    const body = wire(content).slice(content.indexOf('\r\n\r\n'));
    expect(rest.endsWith(body)).toBe(true);
    expect(rest).not.toContain('quoted-printable');
    expect(sent).toEqual(expected);
  });

  it('what stays here', async () => {
    const { rest } = await submit(wire(lines(...HEADER, ...TEXT, '', 'Viele Grüße')), EIGHT_BIT, ['bob@example.test']);
    expect(rest).toBe(wire(lines(...HEADER, ...TEXT, '', 'Viele Grüße')));
  });
});

it('is refused for its own size, and not for what it has become', async () => {
  const line = `${wire('\u00FC').repeat(400)}\r\n`;
  const head = lines(...HEADER, ...TEXT, '');
  const most = Math.floor((5_000_000 - head.length) / line.length);
  const { rest } = await submit(head + line.repeat(most), { body: '8BITMIME' });
  expect(rest.length).toBeGreaterThan(5_000_000);
  const refused = await submit(head + line.repeat(most + 1), { body: '8BITMIME' }, REMOTE, '552 5.3.4');
  expect(refused.sent).toBeUndefined();
});
