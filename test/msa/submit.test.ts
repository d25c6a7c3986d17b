// Rows S3, S6, S7 and H1 of the port roles, at the Receiver of 465 and 587, over a store that records. The same behind
// a listener stands in transcripts/.

import { beforeAll, describe, expect, it } from 'vitest';
import { makePassword } from '../../src/directory/password.ts';
import { createMsa } from '../../src/msa/submit.ts';
import type { Claim } from '../../src/sasl/mechanism.ts';
import type { Identity } from '../../src/smtp/receiver.ts';
import type { PasswordRecord } from '../../src/store/rows.ts';
import { agentWorld, lines, mailbox, NOW, smtpSession, statusOf, TLS, transact } from '../mta/smtp-session.ts';

let wonderland: PasswordRecord;

beforeAll(async () => {
  wonderland = await makePassword('wonderland');
});

const WHOLE = ['Date: Thu, 1 Jan 2026 00:00:00 +0000', 'Message-ID: <1@x>', 'From: Alice <alice@example.test>'];

async function msa(options: { showClient?: boolean; catchAll?: boolean; anyPassword?: boolean } = {}) {
  const { catchAll = false, anyPassword = false, showClient = true } = options;
  const world = await agentWorld({ catchAll, anyPassword });
  const [alice] = await world.store.read.accounts();
  if (alice === undefined) throw new Error('alice is not there');
  await world.store.execute<'set-password'>({ kind: 'set-password', account: alice.id, password: wonderland });
  const identity: Identity = { accountId: alice.id, address: alice.address, mechanism: 'PLAIN' };
  const session = smtpSession({ identity, tls: TLS, localPort: 465 });
  const receiver = createMsa({ ...world.options, showClient, routed: new Set(['lan']) });
  const submit = (content: string, more: Partial<Parameters<typeof transact>[1]> = {}) =>
    transact(receiver, { from: 'alice@example.test', to: ['bob@example.test'], content, session, ...more });
  return { ...world, receiver, session, submit };
}

const claim = (username: string, password: string): Claim => ({
  kind: 'password',
  mechanism: 'PLAIN',
  username,
  password,
});

it('the log says what was asked for by MT-PRIORITY', async () => {
  const { lines: log, submit } = await msa();
  await submit(lines(...WHOLE, '', 'x'), { parameters: { priority: -4 } });
  await submit(lines(...WHOLE, '', 'x'));
  const received = log.filter(({ msg }) => msg === 'received');
  expect(received.map(({ priority }) => priority)).toEqual([-4, undefined]);
});

describe('authentication', () => {
  const login = async (username: string, password: string) => {
    const { receiver, session } = await msa();
    if (receiver.authentication === undefined) throw new Error('an MSA authenticates');
    return receiver.authentication.authenticate(claim(username, password), session).then(
      ({ address, mechanism }) => [address, mechanism],
      (error: unknown) => statusOf(error),
    );
  };

  it('names the account, or answers 535', async () => {
    expect(await login('wonder@example.test', 'wonderland')).toEqual(['alice@example.test', 'PLAIN']);
    expect(await login('alice@example.test', 'no')).toBe('535 5.7.8');
    expect(await login('nobody@example.test', 'wonderland')).toBe('535 5.7.8');
  });

  it('answers 454 while too much waits', async () => {
    const { receiver, session } = await msa();
    const attempts = Array.from({ length: 30 }, (_, index) =>
      receiver.authentication
        ?.authenticate(claim(`nobody${index}`, 'x'), session)
        .then(String, (error: unknown) => statusOf(error)),
    );
    const early = await Promise.race(attempts);
    expect(early).toBe('454 4.7.0');
  });

  it('logs neither the password nor the name', async () => {
    const { receiver, session, lines: log } = await msa();
    await receiver.authentication?.authenticate(claim('hunter2', 'sesame'), session).catch(() => undefined);
    expect(log.length).toBeGreaterThan(0);
    expect(JSON.stringify(log)).not.toMatch(/hunter2|sesame/);
  });

  it('S3: nothing passes without it', async () => {
    const { receiver } = await msa();
    const result = await transact(receiver, {
      from: 'alice@example.test',
      to: [],
      content: '',
      session: smtpSession(),
    });
    expect(result.sender).toBe('530 5.7.0');
  });
});

describe('S6: the sender is an address of the user', () => {
  it.each([
    ['alice@example.test', '250'],
    ['Alice@Example.test', '250'],
    ['wonder@example.test', '250'],
    ['alice+list@example.test', '250'],
    ['', '250'],
    ['bob@example.test', '550 5.7.1'],
    ['alice@remote.test', '550 5.7.1'],
  ])('MAIL FROM:<%s> gets %s', async (from, expected) => {
    const { submit } = await msa();
    expect((await submit(lines(...WHOLE, '', 'x'), { from })).sender).toBe(expected);
  });

  it.each([
    ['its own', ['From: alice@example.test'], '250'],
    ['an alias, among comments', ['From: "Bob" <wonder@example.test> (bob@example.test)'], '250'],
    ['its own twice', ['From: alice@example.test, <wonder@example.test>', 'Sender: alice@example.test'], '250'],
    ['somebody else', ['From: bob@example.test'], '550 5.7.1'],
    ['somebody else behind its own', ['From: alice@example.test, bob@example.test'], '550 5.7.1'],
    ['somebody else in a group', ['From: us: bob@example.test;'], '550 5.7.1'],
    ['somebody else in a second field', ['From: alice@example.test', 'from : bob@example.test'], '550 5.7.1'],
    ['somebody else, folded', ['From:', ' bob@example.test'], '550 5.7.1'],
    ['somebody else, with an own Sender', ['From: bob@example.test', 'Sender: alice@example.test'], '250'],
    ['its own, with a Sender that is not', ['From: alice@example.test', 'Sender: bob@example.test'], '550 5.7.1'],
    ['two Senders', ['From: bob@example.test', 'Sender: alice@example.test', 'Sender: bob@example.test'], '550 5.7.1'],
    ['a text that is no address', ['From: the king'], '550 5.7.1'],
    ['nobody', ['From:'], '550 5.7.1'],
    ['an address without a domain', ['From: alice'], '550 5.7.1'],
    ['its own, often', [`From: ${'alice@example.test, '.repeat(800)}`], '250'],
    ['its own, more often than anybody reads', [`From: ${'alice@example.test, '.repeat(900)}`], '550 5.7.1'],
    ['a Sender that is nobody', ['From: bob@example.test', 'Sender: ;'], '550 5.7.1'],
  ])('From is %s', async (_, header, expected) => {
    const { submit, store } = await msa();
    for (const from of ['alice@example.test', '']) {
      expect((await submit(lines(...header, 'Subject: x', '', 'x'), { from })).reply).toBe(expected);
    }
    expect(store.staged).toBe(0);
  });

  it('is not asked where any password will do', async () => {
    const { submit } = await msa({ catchAll: true, anyPassword: true });
    const result = await submit(lines('From: app@anywhere.example', '', 'x'), { from: 'noreply@anywhere.example' });
    expect(result).toEqual({ sender: '250', recipients: ['250'], reply: '250' });
  });
});

describe('RFC 6409 §4.2: domains are whole', () => {
  it.each([
    ['carol@remote.test', '250'],
    ['carol@sales', '554 5.1.2'],
    ['carol@LAN', '250'],
    ['carol@[192.0.2.1]', '250'],
    ['bob@example.test', '250'],
  ])('RCPT TO:<%s> gets %s', async (to, expected) => {
    const { submit } = await msa();
    expect((await submit(lines(...WHOLE, '', 'x'), { to: [to] })).recipients).toEqual([expected]);
  });

  it.each([
    ['To: carol@remote.test, us: dave@sales;', '554 5.1.2'],
    ['Cc: carol <carol@remote.test>,\r\n carol@sales (at home)', '554 5.1.2'],
    ['Reply-To: <alice@sales>', '554 5.1.2'],
    ['Resent-To: <carol@sales>', '554 5.1.2'],
    ['To: printer@lan, carol, us:;, <carol@remote.test>', '250'],
    ['Subject: carol@sales', '250'],
  ])('%j gets %s', async (field, expected) => {
    const { submit, store } = await msa();
    expect((await submit(lines(...WHOLE, field, '', 'x'))).reply).toBe(expected);
    expect(store.accepted).toHaveLength(expected === '250' ? 1 : 0);
  });

  it('is not asked where any password will do', async () => {
    const { submit } = await msa({ catchAll: true, anyPassword: true });
    const content = lines('From: app@localhost', 'To: user@sales', '', 'x');
    const result = await submit(content, { from: 'app@localhost', to: ['user@sales'] });
    expect(result).toEqual({ sender: '250', recipients: ['250'], reply: '250' });
  });
});

describe('S7: the message is completed', () => {
  const stored = async (content: string, options?: Parameters<typeof msa>[0]) => {
    const { submit, store } = await msa(options);
    expect((await submit(content)).reply).toBe('250');
    const whole = store.body(store.accepted[0]);
    const end = /\r\n(?![ \t])/.exec(whole)?.index ?? 0;
    return { received: whole.slice(0, end), rest: whole.slice(end + 2), accept: store.accepted[0] };
  };

  it('with Date, Message-ID and From where they are missing', async () => {
    const { rest, accept } = await stored(lines('Subject: x', '', 'body'));
    const [date, id, from, ...others] = rest.split('\r\n');
    expect(Date.parse(date?.replace(/^Date: /, '') ?? '')).toBe(NOW);
    expect(id).toMatch(/^Message-ID: <[\w.-]+@mail\.example\.test>$/);
    expect(from).toBe('From: <alice@example.test>');
    expect(others).toEqual(['Subject: x', '', 'body', '']);
    expect(`<${accept?.facts.messageId}>`).toBe(id?.replace('Message-ID: ', ''));
  });

  it.each(['Message-ID:', 'Message-ID: 17', 'Message-Id: <17>', 'message-id: <@x>'])(
    'with a Message-ID that is one in the place of %j (RFC 6409 §8.3)',
    async (field) => {
      const [date = '', , from = ''] = WHOLE;
      const { rest } = await stored(lines(date, field, from, '', field));
      expect(rest).toMatch(/^Message-ID: <[\w.-]+@mail\.example\.test>\r\n/);
      expect(rest.slice(rest.indexOf('\r\n') + 2)).toBe(lines(date, from, '', field));
    },
  );

  it('and left alone where they are there', async () => {
    const content = lines('DATE : yesterday', 'message-id: <1@x>', ...WHOLE.slice(2), '', 'body');
    expect((await stored(content)).rest).toBe(content);
  });

  it('without Bcc, folded, doubled and in any case', async () => {
    const bcc = ['Bcc: carol@remote.test,', '\tdave@remote.test', 'bCC:eve@remote.test', 'Resent-Bcc: x@remote.test'];
    const { rest } = await stored(lines(...WHOLE, ...bcc, 'To: bob@example.test', '', 'Bcc: is told here'));
    expect(rest).toBe(lines(...WHOLE, 'To: bob@example.test', '', 'Bcc: is told here'));
  });

  it('in lines that every hop takes, where there is white space to fold them at', async () => {
    const to = `To: ${Array.from({ length: 300 }, (_, index) => `user${index}@remote.test`).join(', ')}`;
    const { rest } = await stored(lines(...WHOLE, to, '', 'x'.repeat(2_000)));
    const header = rest.slice(0, rest.indexOf('\r\n\r\n'));
    expect(Math.max(...header.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
    expect(header.replace(/\r\n(?= )/g, '')).toBe([...WHOLE, to].join('\r\n'));
  });

  it('and a Return-Path of its own making goes', async () => {
    expect((await stored(lines('Return-Path: <x@y>', ...WHOLE, '', 'x'))).rest).toBe(lines(...WHOLE, '', 'x'));
  });

  it('with a trace field that names the client, or does not, as configured', async () => {
    const shown = await stored(lines(...WHOLE, '', 'x'));
    expect(shown.received).toMatch(/^Received: from client\.example \(\[192\.0\.2\.7\]\)/);
    expect(shown.received).toMatch(/\swith ESMTPSA\s/);
    const hidden = await stored(lines(...WHOLE, '', 'x'), { showClient: false });
    expect(hidden.received).toMatch(/^Received: /);
    expect(hidden.received).not.toMatch(/client\.example|192\.0\.2\.7/);
    expect(hidden.received).toMatch(/\swith ESMTPSA\s/);
  });

  it.each([
    ['a text without header', 'hello\r\nFrom: bob@example.test\r\n', '\r\nhello\r\nFrom: bob@example.test\r\n'],
    ['a header without its empty line', lines(...WHOLE, 'hello'), lines(...WHOLE, '', 'hello')],
    ['a continuation of nothing', ' x\r\n\r\nbody\r\n', '\r\n x\r\n\r\nbody\r\n'],
    ['only a header', lines(...WHOLE), lines(...WHOLE)],
    ['only a body', '\r\nbody\r\n', '\r\nbody\r\n'],
    ['nothing', '', ''],
  ])('%s gets a header that readers agree on', async (_, content, expected) => {
    const { rest } = await stored(content);
    expect(rest.endsWith(expected)).toBe(true);
    const added = rest.slice(0, rest.length - expected.length);
    expect(added).toMatch(/^(?:[\w-]+: [^\r]*\r\n)*$/);
  });

  it('a From behind the first line that is no field is body', async () => {
    const { rest } = await stored(lines(...WHOLE, 'hello', 'From: bob@example.test', 'Bcc: x', '', 'body'));
    expect(rest).toBe(lines(...WHOLE, '', 'hello', 'From: bob@example.test', 'Bcc: x', '', 'body'));
  });
});

describe('recipients', () => {
  it('local and remote ones are taken over in one command', async () => {
    const { submit, store } = await msa();
    const result = await submit(lines(...WHOLE, 'Content-Type: multipart/signed; boundary=b', '', '\xfc'), {
      to: [
        'bob@example.test',
        'eve@Remote.test',
        ['eve@remote.test', { notify: ['success'] }],
        ['dave@other.test', { notify: ['failure'], orcpt: 'rfc822;d@x' }],
        ['mallory@other.test', { notify: 'never' }],
        ['trent@other.test', { notify: ['delay'] }],
        'nobody@example.test',
      ],
      parameters: { body: '8BITMIME', ret: 'HDRS', envid: 'e1' },
    });
    expect(result.recipients).toEqual(['250', '250', '250', '250', '250', '250', '550 5.1.1']);
    expect(store.accepted).toHaveLength(1);
    const [accept] = store.accepted;
    expect(accept?.deliveries).toHaveLength(1);
    expect(accept?.dispatch).toMatchObject({
      reversePath: mailbox('alice@example.test'),
      parameters: { body: '8BITMIME', ret: 'HDRS', envid: 'e1' },
      origin: { role: 'submission', localPort: 465, tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384', account: 1 },
    });
    const entries = accept?.dispatch?.entries ?? [];
    expect(entries.map(({ recipient, destination }) => [recipient.localPart, destination])).toEqual([
      ['eve', 'remote.test'],
      ['dave', 'other.test'],
      ['mallory', 'other.test'],
      ['trent', 'other.test'],
    ]);
    const warn = NOW + 14_400_000;
    expect(entries.map(({ warnAt }) => warnAt)).toEqual([warn, null, null, warn]);
    expect(entries.every(({ nextAt, expiresAt }) => nextAt === NOW && expiresAt === NOW + 432_000_000)).toBe(true);
    expect(entries[1]?.parameters).toEqual({ notify: ['failure'], orcpt: 'rfc822;d@x' });
  });

  it('nobody is warned of a delay at the null reverse-path', async () => {
    const { submit, store } = await msa();
    await submit(lines(...WHOLE, '', 'x'), { from: '', to: ['eve@remote.test'] });
    expect(store.accepted[0]?.dispatch?.entries[0]?.warnAt).toBeNull();
  });

  it('nothing leaves with catch-all', async () => {
    const { submit, store } = await msa({ catchAll: true });
    await submit(lines(...WHOLE, '', 'x'), { to: ['eve@remote.test', 'x@[192.0.2.9]'] });
    expect(store.accepted[0]?.dispatch).toBeNull();
    expect(store.accepted[0]?.deliveries).toHaveLength(2);
  });
});

it('H1: the log names each hop by one id', async () => {
  const { submit, lines: log } = await msa();
  await submit(lines(...WHOLE, '', 'x'), { to: ['bob@example.test', 'eve@remote.test'] });
  expect(log.filter(({ message }) => message !== undefined).map(({ hop, message }) => [hop, message])).toEqual([
    ['MUA→MSA', 'abcdefghijkl-1'],
    ['MSA→MTA', 'abcdefghijkl-1'],
    ['MTA→MDA', 'abcdefghijkl-1'],
  ]);
});

describe('what the message says of TLS (RFC 8689)', () => {
  it.each([
    ['TLS-Required: No', true],
    ['tls-required:  NO ', true],
    ['TLS-Required: Yes', undefined],
    ['TLS-Required: No\r\nTLS-Required: No', undefined],
    ['Subject: TLS-Required: No', undefined],
  ])('%j travels with it', async (field, tlsOptional) => {
    const { submit, store } = await msa();
    const content = lines(...WHOLE, field, '', 'Hello');
    await submit(content, { to: ['eve@far.test'], parameters: { requiretls: true } });
    expect(store.accepted[0]?.dispatch?.parameters).toEqual({
      requiretls: true,
      ...(tlsOptional === undefined ? {} : { tlsOptional }),
    });
  });
});
