// Delivery reports (RFC 3464, RFC 6522, RFC 6533) read back by mailparser: every action, UTF-8 or not, RET, ENVID, ORCPT;
// and that nothing foreign breaks out of its field.

import { isAscii } from 'node:buffer';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { type HeaderField, parseHeaderText } from '../../src/formats/header.ts';
import type { EnhancedStatus } from '../../src/formats/refusal.ts';
import { deliveryReport, type ReportFrame } from '../../src/formats/report.ts';
import type { DeliveryReport, ReportAction, ReportedRecipient } from '../../src/formats/report-facts.ts';
import { structureOf } from '../../src/formats/structure.ts';

const TIME = Date.UTC(2003, 6, 1, 8, 52, 37);
const HEADER = 'Subject: lost\r\nFrom: alice@example.test\r\n\r\n';
const MESSAGE = `${HEADER}The body.\r\n`;

const RECIPIENT: ReportedRecipient = {
  action: 'failed',
  recipient: { localPart: 'bob', domain: 'remote.test' },
  originalRecipient: null,
  status: '5.1.1',
  remoteMta: null,
  reply: null,
  text: 'Why it was.',
  lastAttempt: null,
  willRetryUntil: null,
};

type Facts = Partial<Omit<DeliveryReport, 'original'>> & { readonly original?: Partial<DeliveryReport['original']> };

function frameOf({ original, ...facts }: Facts): ReportFrame {
  return deliveryReport({
    reportingMta: 'mail.example.test',
    from: { localPart: 'postmaster', domain: 'mail.example.test' },
    to: { localPart: 'alice', domain: 'example.test' },
    messageId: '<report@mail.example.test>',
    boundary: 'boundary0123',
    time: TIME,
    zone: 120,
    recipients: [RECIPIENT],
    ...facts,
    original: {
      arrival: TIME - 3_600_000,
      envid: null,
      messageId: 'lost@example.test',
      utf8: false,
      eightBit: false,
      returned: 'HDRS',
      ...original,
    },
  });
}

interface ReadReport {
  readonly octets: Buffer;
  readonly type: string;
  readonly types: readonly string[];
  readonly text: string;
  readonly message: Record<string, string>;
  readonly recipients: readonly Record<string, string>[];
  readonly returned: string;
}

/** The report as mailparser has it, and the fields of its second part. */
async function read(facts: Facts): Promise<ReadReport> {
  const frame = frameOf(facts);
  const returned = Buffer.from(facts.original?.returned === 'FULL' ? MESSAGE : HEADER);
  const octets = Buffer.concat([frame.before, returned, frame.after]);
  const structure = structureOf(octets);
  const parts = structure.parts ?? [];
  const status = parts[1];
  if (status === undefined || parts.length !== 3) throw new Error('a report has three parts');
  const groups: Record<string, string>[] = [];
  const text = octets.toString('latin1', status.bodyStart, status.end);
  for (let at = 0; at < text.length; ) {
    const { fields, end } = parseHeaderText(text, at);
    groups.push(Object.fromEntries(fields.map((field: HeaderField) => [field.name, field.value])));
    at = end;
  }
  const mail = await simpleParser(octets);
  const type = structure.mime.parameters.find(([name]) => name === 'report-type')?.[1] ?? '';
  expect(mail.headers.get('auto-submitted')).toBe('auto-replied');
  expect(mail.headers.get('content-type')).toMatchObject({
    value: 'multipart/report',
    params: { 'report-type': 'delivery-status' },
  });
  const [message = {}, ...recipients] = groups;
  return {
    octets,
    type,
    types: parts.map(({ mime }) => `${mime.type}/${mime.subtype}`),
    text: mail.text ?? '',
    message,
    recipients,
    returned: parts[2] === undefined ? '' : octets.toString('utf8', parts[2].bodyStart, parts[2].end),
  };
}

describe('what is reported', () => {
  test('until when it was held, and by when it was to be there (RFC 4865, RFC 2852)', async () => {
    const report = await read({ original: { holdUntil: TIME, deliverBy: TIME + 60_000 } });
    expect(report.message).toMatchObject({
      'Deliver-By-Date': 'Tue, 1 Jul 2003 10:53:37 +0200',
      'Future-Release-Request': 'until;2003-07-01T08:52:37.000Z',
    });
    const { message } = await read({ original: { holdUntil: TIME, holdRequest: 'for;3600' } });
    expect(message).toMatchObject({ 'Future-Release-Request': 'for;3600' });
  });

  test('a failure, with all that is known of it', async () => {
    const report = await read({
      original: { envid: 'order+66', returned: 'FULL' },
      recipients: [
        {
          ...RECIPIENT,
          originalRecipient: 'rfc822;Bob@Remote.Test',
          remoteMta: 'mx.remote.test',
          reply: { code: 550, status: '5.1.1', text: 'no such user\nwas ever here' },
          lastAttempt: TIME,
        },
      ],
    });
    expect(report.types).toEqual(['text/plain', 'message/delivery-status', 'message/rfc822']);
    expect(report.message).toEqual({
      'Original-Envelope-Id': 'order+66',
      'Reporting-MTA': 'dns; mail.example.test',
      'Arrival-Date': 'Tue, 1 Jul 2003 09:52:37 +0200',
    });
    expect(report.recipients).toEqual([
      {
        'Original-Recipient': 'rfc822; Bob@Remote.Test',
        'Final-Recipient': 'rfc822; bob@remote.test',
        Action: 'failed',
        Status: '5.1.1',
        'Remote-MTA': 'dns; mx.remote.test',
        'Diagnostic-Code': 'smtp; 550-5.1.1 no such user 550 5.1.1 was ever here',
        'Last-Attempt-Date': 'Tue, 1 Jul 2003 10:52:37 +0200',
      },
    ]);
    expect(report.returned).toBe(MESSAGE);
    const mail = await simpleParser(report.octets);
    expect(mail).toMatchObject({ inReplyTo: '<lost@example.test>', messageId: '<report@mail.example.test>' });
    expect(mail.date?.getTime()).toBe(TIME);
    expect(mail.from?.value).toEqual([{ name: 'Mail delivery', address: 'postmaster@mail.example.test' }]);
    expect(mail.attachments.map(({ contentType, content }) => [contentType, content.toString()])).toEqual([
      ['message/rfc822', MESSAGE],
    ]);
    expect(report.text).toContain('bob@remote.test');
    expect(report.text).toContain('Why it was.');
    expect(report.text).toContain('550 5.1.1 no such user was ever here');
  });

  test.each<ReportAction>(['failed', 'delayed', 'delivered', 'relayed', 'expanded'])('%s', async (action) => {
    const { recipients, text, returned, types } = await read({
      recipients: [{ ...RECIPIENT, action, willRetryUntil: TIME + 86_400_000 }],
    });
    expect(recipients).toHaveLength(1);
    expect(recipients[0]?.Action).toBe(action);
    const until = 'Wed, 2 Jul 2003 10:52:37 +0200';
    expect(recipients[0]?.['Will-Retry-Until']).toBe(action === 'delayed' ? until : undefined);
    expect(text.includes(until)).toBe(action === 'delayed');
    expect(types[2]).toBe('text/rfc822-headers');
    expect(returned).toBe(HEADER);
  });

  test('a status that nobody knows is reported as it is, with advice by its subject', async () => {
    const of = async (status: EnhancedStatus) => read({ recipients: [{ ...RECIPIENT, action: 'failed', status }] });
    const [known, strange] = [await of('5.2.0'), await of('5.2.999')];
    expect(strange.recipients[0]?.Status).toBe('5.2.999');
    expect(strange.text.replaceAll('5.2.999', '5.2.0')).toBe(known.text);
  });

  test('several recipients, a group of fields each', async () => {
    const actions: readonly ReportAction[] = ['delivered', 'failed', 'delayed'];
    const { recipients } = await read({
      recipients: actions.map((action, i) => ({
        ...RECIPIENT,
        action,
        recipient: { localPart: `user${i}`, domain: 'remote.test' },
      })),
    });
    expect(recipients.map((recipient) => [recipient['Final-Recipient'], recipient.Action])).toEqual([
      ['rfc822; user0@remote.test', 'delivered'],
      ['rfc822; user1@remote.test', 'failed'],
      ['rfc822; user2@remote.test', 'delayed'],
    ]);
  });

  test('lines are no longer than RFC 5322 §2.1.1 likes where words allow it', async () => {
    const text = 'word '.repeat(300);
    const { octets, recipients } = await read({
      recipients: [{ ...RECIPIENT, text, reply: { code: 451, text } }],
    });
    for (const line of octets.toString().split('\r\n')) expect(line.length).toBeLessThan(79);
    expect(recipients[0]?.['Diagnostic-Code']?.startsWith('smtp; 451 word word')).toBe(true);
  });
});

test.each([
  ['192.0.2.1', 'dns; [192.0.2.1]'],
  ['2001:db8::1', 'dns; [IPv6:2001:db8::1]'],
  ['mx.remote.test', 'dns; mx.remote.test'],
])('RFC 3461 §9.3: the host %s is %s', async (remoteMta, expected) => {
  const { recipients } = await read({ recipients: [{ ...RECIPIENT, remoteMta }] });
  expect(recipients[0]?.['Remote-MTA']).toBe(expected);
});

describe('beyond ASCII (RFC 6533)', () => {
  const recipient = { localPart: 'δοκιμή+x', domain: 'xn--mnchen-3ya.test' };
  const facts = { ...RECIPIENT, recipient, reply: { code: 550, text: 'unbekannt: δοκιμή' } };

  test('a sender who said SMTPUTF8 reads it as it is', async () => {
    const report = await read({
      to: { localPart: 'jörg', domain: 'example.test' },
      original: { utf8: true, envid: 'é' },
      recipients: [{ ...facts, originalRecipient: 'utf-8;δοκι\\x{3BC}ή\\x{2B}x@münchen.test' }],
    });
    expect(report.types.slice(1)).toEqual(['message/global-delivery-status', 'message/global-headers']);
    expect(report.message['Original-Envelope-Id']).toBe('é');
    expect(report.recipients[0]).toMatchObject({
      'Original-Recipient': 'utf-8; δοκιμή+x@münchen.test',
      'Final-Recipient': 'utf-8; δοκιμή+x@xn--mnchen-3ya.test',
      'Diagnostic-Code': 'smtp; 550 unbekannt: δοκιμή',
    });
    expect(report.text).toContain('<δοκιμή+x@xn--mnchen-3ya.test>');
    const frame = frameOf({ original: { utf8: true } });
    expect([frame.utf8, frame.eightBit]).toEqual([true, true]);
    const full = await read({ original: { utf8: true, returned: 'FULL' } });
    expect(full.types[2]).toBe('message/global');
  });

  test('one that leaves this host is 7-bit, with all that it says (RFC 6533 §4.5)', async () => {
    const frame = frameOf({
      sevenBit: true,
      original: { utf8: true, returned: 'FULL' },
      recipients: [{ ...facts, originalRecipient: 'utf-8;δοκιμή@münchen.test' }],
    });
    expect(frame).toMatchObject({ utf8: false, eightBit: false });
    const message = 'Subject: δοκιμή\r\n\r\nδοκιμή\r\n';
    const octets = Buffer.concat([frame.before, frame.returned(Buffer.from(message)), frame.after]);
    expect(isAscii(octets)).toBe(true);
    const mail = await simpleParser(octets);
    expect(mail.text).toContain('<δοκιμή+x@xn--mnchen-3ya.test>');
    const [status, returned] = mail.attachments;
    expect(status?.contentType).toBe('message/global-delivery-status');
    expect(status?.content.toString()).toContain('\r\n\r\nOriginal-Recipient: utf-8; δοκιμή@münchen.test\r\n');
    expect([returned?.contentType, returned?.content.toString()]).toEqual(['message/global', message]);
    // Whoever has such an address has a server that takes it.
    expect(frameOf({ sevenBit: true, to: recipient, original: { utf8: true } })).toMatchObject({
      utf8: true,
      eightBit: true,
    });
  });

  test('any other reads ASCII alone', async () => {
    const report = await read({
      original: { envid: 'é' },
      recipients: [{ ...facts, originalRecipient: 'utf-8;δοκιμή+x@münchen.test', text: 'wörtlich' }],
    });
    expect(report.octets.toString('latin1')).toMatch(/^[\r\n\t -~]*$/);
    expect(report.types.slice(1)).toEqual(['message/delivery-status', 'text/rfc822-headers']);
    const embedded = '\\x{3B4}\\x{3BF}\\x{3BA}\\x{3B9}\\x{3BC}\\x{3AE}\\x{2B}x@';
    expect(report.recipients[0]).toMatchObject({
      'Original-Recipient': `utf-8; ${embedded}m\\x{FC}nchen.test`,
      'Final-Recipient': `utf-8; ${embedded}xn--mnchen-3ya.test`,
    });
    const frame = frameOf({ original: { utf8: false } });
    expect([frame.utf8, frame.eightBit]).toEqual([false, false]);
  });

  test('an ORCPT that came in the embedded form is not embedded again', async () => {
    for (const utf8 of [true, false]) {
      const { recipients } = await read({
        original: { utf8 },
        recipients: [{ ...RECIPIENT, originalRecipient: 'utf-8;\\x{E9}@a.test' }],
      });
      expect(recipients[0]?.['Original-Recipient']).toBe(utf8 ? 'utf-8; é@a.test' : 'utf-8; \\x{E9}@a.test');
    }
  });

  test('a message sent as 8BITMIME is sent back as that', () => {
    const frame = frameOf({ original: { eightBit: true } });
    expect([frame.utf8, frame.eightBit]).toEqual([false, true]);
    const { mime, parts } = structureOf(Buffer.concat([frame.before, frame.after]));
    expect([mime.encoding, ...(parts ?? []).map((part) => part.mime.encoding)]).toEqual([
      '8bit',
      '7bit',
      '7bit',
      '8bit',
    ]);
  });
});

describe('what others say stays where it is', () => {
  const EVIL = [
    'x\r\nAction: delivered',
    'x\nBcc: y',
    'x\r\n\r\n--boundary0123--',
    'x\0\u0085\u2028y',
    'é'.repeat(5000),
    '😀'.repeat(2000),
    `${'x'.repeat(896)}😀😀`,
    'x'.repeat(100_000),
    '\ud800\udfff\ud800',
    '',
    ' ',
  ];

  test.each(EVIL.map((evil) => [evil]))('%j', async (evil) => {
    for (const utf8 of [true, false]) {
      const report = await read({
        messageId: '<r@x>',
        original: { utf8, envid: evil, messageId: evil },
        recipients: [
          {
            ...RECIPIENT,
            recipient: { localPart: evil, domain: 'remote.test' },
            originalRecipient: `rfc822;${evil}`,
            remoteMta: evil,
            reply: { code: 550, status: '5.0.0', text: evil },
            text: evil,
          },
          { ...RECIPIENT, originalRecipient: evil },
          { ...RECIPIENT, originalRecipient: `utf-8;${evil}` },
          { ...RECIPIENT, originalRecipient: `${evil};x` },
        ],
      });
      expect(Object.keys(report.message).slice(-2)).toEqual(['Reporting-MTA', 'Arrival-Date']);
      expect(report.recipients).toHaveLength(4);
      for (const recipient of report.recipients) {
        expect(recipient.Action).toBe('failed');
        expect(Object.keys(recipient).length).toBeLessThan(7);
      }
      expect(report.returned).toBe(HEADER);
      for (const line of report.octets.toString('latin1').split('\r\n')) {
        expect(line.length).toBeLessThan(999);
        expect(line).not.toMatch(/[\0\r\n]/);
      }
      if (!utf8) expect(report.octets.toString('latin1')).toMatch(/^[\r\n\t -~]*$/);
    }
  });
});
