// The mail that carries a TLS report (RFC 8460 §5.3), as another program reads it, and the way back out of it.

import { gunzipSync, gzipSync } from 'node:zlib';
import { simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import { tlsReportMail } from '../../../src/formats/tls-report/message.ts';
import { tlsReportPart } from '../../../src/formats/tls-report/part.ts';

const JSON_TEXT = JSON.stringify({ some: 'report '.repeat(2_000) });

function message(domain = 'example.net'): Buffer {
  const { header, body } = tlsReportMail({
    domain,
    submitter: 'sender.example.com',
    from: { localPart: 'tls', domain: 'sender.example.com' },
    to: { localPart: 'reports', domain: 'example.net' },
    reportId: '735ff.e317@sender.example.com',
    messageId: '<1@mail.sender.example.com>',
    boundary: 'xyz',
    start: Date.UTC(2026, 0, 1),
    end: Date.UTC(2026, 0, 2) - 1_000,
    now: Date.UTC(2026, 0, 2, 3),
    zone: 0,
    report: gzipSync(JSON_TEXT),
    text: 'This is for people.\nTwo lines.',
  });
  return Buffer.from(header + body);
}

test('is what the RFC asks for', async () => {
  const mail = await simpleParser(message());
  expect(mail.subject).toBe(
    'Report Domain: example.net Submitter: sender.example.com Report-ID: <735ff.e317@sender.example.com>',
  );
  expect(mail.headers.get('tls-report-domain')).toBe('example.net');
  expect(mail.headers.get('tls-report-submitter')).toBe('sender.example.com');
  expect(mail.headers.get('tls-required')).toBe('No');
  expect(mail.headers.get('content-type')).toMatchObject({
    value: 'multipart/report',
    params: { 'report-type': 'tlsrpt' },
  });
  expect(mail.text?.trim()).toBe('This is for people.\nTwo lines.');
  const [file, ...more] = mail.attachments;
  expect(more).toEqual([]);
  expect(file).toMatchObject({
    contentType: 'application/tlsrpt+gzip',
    filename: 'sender.example.com!example.net!1767225600!1767311999.json.gz',
  });
  expect(gunzipSync(file?.content ?? '').toString()).toBe(JSON_TEXT);
});

test('has no line that SMTP would not take, whatever the names', () => {
  const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
  for (const line of message(longest).toString().split('\r\n')) {
    expect(line.length).toBeLessThanOrEqual(998);
    expect(line).toMatch(/^[\t -~]*$/);
  }
});

test('is found again', () => {
  const part = tlsReportPart(message());
  expect(part?.compressed).toBe(true);
  expect(gunzipSync(part?.octets ?? '').toString()).toBe(JSON_TEXT);
});

test.each([
  ['alone', 'Content-Type: application/tlsrpt+json\r\n\r\n{}', false],
  [
    'alone and compressed',
    'Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\ne30=',
    true,
  ],
  [
    'in another multipart',
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: application/tlsrpt+json\r\n\r\n{}\r\n--b--',
    false,
  ],
] as const)('a report %s', (_, text, compressed) => {
  const part = tlsReportPart(Buffer.from(text));
  expect([part?.compressed, Buffer.from(part?.octets ?? []).toString()]).toEqual([compressed, '{}']);
});

test.each([
  ['a text', 'Subject: report\r\n\r\n{}'],
  [
    'a delivery report',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--',
  ],
  ['JSON of another kind', 'Content-Type: application/json\r\n\r\n{}'],
  ['a report that is forwarded', 'Content-Type: message/rfc822\r\n\r\nContent-Type: application/tlsrpt+json\r\n\r\n{}'],
  ['a report too deep to look for', deep(20)],
  ['nothing', ''],
])('none: %s', (_, text) => {
  expect(tlsReportPart(Buffer.from(text))).toBeNull();
});

function deep(levels: number): string {
  let text = 'Content-Type: application/tlsrpt+json\r\n\r\n{}';
  for (let level = 0; level < levels; level++) {
    text = `Content-Type: multipart/mixed; boundary=b${level}.\r\n\r\n--b${level}.\r\n${text}\r\n--b${level}.--`;
  }
  return text;
}
