// TLS reports as JSON: the RFC's own example, what senders make of it, and what is none.

import { describe, expect, test } from 'vitest';
import { readTlsReport, TLS_REPORT_LIMITS, TlsReportError } from '../../../src/formats/tls-report/reader.ts';
import { formatTlsReport, type TlsReport } from '../../../src/formats/tls-report/report.ts';

/** RFC 8460 §B, as it stands there. */
const EXAMPLE = `{
  "organization-name": "Company-X",
  "date-range": {
    "start-datetime": "2016-04-01T00:00:00Z",
    "end-datetime": "2016-04-01T23:59:59Z"
  },
  "contact-info": "sts-reporting@company-x.example",
  "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
  "policies": [{
    "policy": {
      "policy-type": "sts",
      "policy-string": ["version: STSv1","mode: testing",
            "mx: *.mail.company-y.example","max_age: 86400"],
      "policy-domain": "company-y.example",
      "mx-host": ["*.mail.company-y.example"]
    },
    "summary": {
      "total-successful-session-count": 5326,
      "total-failure-session-count": 303
    },
    "failure-details": [{
      "result-type": "certificate-expired",
      "sending-mta-ip": "2001:db8:abcd:0012::1",
      "receiving-mx-hostname": "mx1.mail.company-y.example",
      "failed-session-count": 100
    }, {
      "result-type": "starttls-not-supported",
      "sending-mta-ip": "2001:db8:abcd:0013::1",
      "receiving-mx-hostname": "mx2.mail.company-y.example",
      "receiving-ip": "203.0.113.56",
      "failed-session-count": 200,
      "additional-information": "https://reports.company-x.example/report_info?id=5065427c-23d3#StarttlsNotSupported"
    }, {
      "result-type": "validation-failure",
      "sending-mta-ip": "198.51.100.62",
      "receiving-ip": "203.0.113.58",
      "receiving-mx-hostname": "mx-backup.mail.company-y.example",
      "failed-session-count": 3,
      "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"
    }]
  }]
}`;

const read = (value: unknown): TlsReport =>
  readTlsReport(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));
/** The example with one thing changed, or taken away. */
function changed(path: string, value: unknown): unknown {
  const report: unknown = JSON.parse(EXAMPLE);
  const keys = path.split('/');
  const last = keys.pop() ?? '';
  // JSON has objects and lists, which both have keys.
  const place = keys.reduce((here, key) => (here as Record<string, unknown>)[key], report) as Record<string, unknown>;
  if (value === undefined) delete place[last];
  else place[last] = value;
  return report;
}

const POLICY: unknown = (JSON.parse(EXAMPLE) as { policies: unknown[] }).policies[0];
const FAILURE: unknown = (POLICY as { 'failure-details': unknown[] })['failure-details'][0];

describe('the example of the RFC', () => {
  test('is read', () => {
    const report = read(EXAMPLE);
    expect(report).toMatchObject({
      organization: 'Company-X',
      contact: 'sts-reporting@company-x.example',
      id: '5065427c-23d3-47ca-b6e0-946ea0e8c4be',
      start: Date.UTC(2016, 3, 1),
      end: Date.UTC(2016, 3, 2) - 1_000,
    });
    expect(report.policies).toMatchObject([
      {
        type: 'sts',
        text: ['version: STSv1', 'mode: testing', 'mx: *.mail.company-y.example', 'max_age: 86400'],
        domain: 'company-y.example',
        mxHosts: ['*.mail.company-y.example'],
        successes: 5326,
        failures: 303,
      },
    ]);
    expect(report.policies[0]?.details).toEqual([
      {
        type: 'certificate-expired',
        sessions: 100,
        sendingIp: '2001:db8:abcd:0012::1',
        host: 'mx1.mail.company-y.example',
      },
      expect.objectContaining({ type: 'starttls-not-supported', sessions: 200, receivingIp: '203.0.113.56' }),
      expect.objectContaining({ type: 'validation-failure', reason: 'X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED' }),
    ]);
  });

  test('is what we would write', () => {
    expect(JSON.parse(formatTlsReport(read(EXAMPLE)))).toEqual(JSON.parse(EXAMPLE));
    expect(read(formatTlsReport(read(EXAMPLE)))).toEqual(read(EXAMPLE));
  });
});

test.each([
  ['one host where the RFC has a list', 'policies/0/policy/mx-host', 'mx.test'],
  ['no details', 'policies/0/failure-details', undefined],
  ['null for what is not there', 'policies/0/failure-details', null],
  ['no policy string', 'policies/0/policy/policy-string', undefined],
  ['a TLSA record of a whole certificate', 'policies/0/policy/policy-string', [`3 0 0 ${'ab'.repeat(5_000)}`]],
  ['as many hosts as a policy has', 'policies/0/policy/policy-string', new Array(150).fill('mx: mx.test')],
  ['no organization', 'organization-name', undefined],
  ['another offset', 'date-range/end-datetime', '2016-04-02T01:59:59.5+02:00'],
  ['what nobody knows', 'comment', { deep: [[[]]] }],
  ['a new kind of policy', 'policies/0/policy/policy-type', 'New'],
  ['no policies', 'policies', []],
])('taken: %s', (_, path, value) => {
  expect(read(changed(path, value)).id).toBe('5065427c-23d3-47ca-b6e0-946ea0e8c4be');
});

const FAILURES = 'policies/0/summary/total-failure-session-count';

test.each([
  ['no range', 'date-range', undefined],
  ['a day of a thousand years', 'date-range/end-datetime', '3016-04-01T00:00:00Z'],
  ['an end before the start', 'date-range/end-datetime', '2015-04-01T00:00:00Z'],
  ['a date that is none', 'date-range/end-datetime', '2016-13-41T00:00:00Z'],
  ['no id', 'report-id', ''],
  ['policies that are no list', 'policies', {}],
  ['a negative count', FAILURES, -1],
  ['a count with a fraction', FAILURES, 1.5],
  ['a count beyond what numbers hold', FAILURES, 1e300],
  ['a count in words', FAILURES, 'many'],
  ['a text without end', 'organization-name', 'x'.repeat(1_001)],
  ['a policy without end', 'policies/0/policy/policy-string', ['x'.repeat(16_385)]],
  ['a policy of lines without end', 'policies/0/policy/policy-string', new Array(201).fill('x')],
  ['policies without end', 'policies', new Array(201).fill(POLICY)],
])('refused: %s', (_, path, value) => {
  expect(() => read(changed(path, value))).toThrow(TlsReportError);
});

test.each([
  ['no object', Buffer.from('[]')],
  ['null', Buffer.from('null')],
  ['no JSON', Buffer.from('{')],
  ['nothing', Buffer.from('')],
  ['depth', Buffer.from('['.repeat(200_000))],
  ['a whole depth', Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)],
  ['octets that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
])('no report: %s', (_, octets) => {
  expect(() => readTlsReport(octets)).toThrow(TlsReportError);
});

test('of many details the first are kept', () => {
  const { policies } = read(changed('policies/0/failure-details', new Array(5_000).fill(FAILURE)));
  expect(policies[0]?.details).toHaveLength(TLS_REPORT_LIMITS.kept);
});
