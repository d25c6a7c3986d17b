// The JSON of a TLS report (RFC 8460 §4.4) that somebody has sent, checked and bounded. Senders differ in what they leave
// out and in what they make a list of: that is taken. What is no report is refused with what is wrong.

import * as v from 'valibot';
import type { TlsReport, TlsReportFailure, TlsReportPolicy } from './report.ts';

/** What is no report; the text says why, for the log. */
export class TlsReportError extends Error {
  override readonly name = 'TlsReportError';
}

/** Characters of a text, and of a line of a policy, which may be a TLSA record with a whole certificate in hex; entries of a
 * list. Beyond them a report is none. Of a policy the first `kept` details are kept, and of what they say, and of its
 * lines, so many characters. */
export const TLS_REPORT_LIMITS = {
  text: 1_000,
  line: 16_384,
  lines: 200,
  policies: 200,
  details: 10_000,
  kept: 50,
  keptText: 200,
} as const;
/** ms that a report may be about: a day, and what clocks and zones make of it. */
const LONGEST = 8 * 24 * 3_600_000;

const text = v.pipe(v.string(), v.maxLength(TLS_REPORT_LIMITS.text));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const line = v.pipe(v.string(), v.maxLength(TLS_REPORT_LIMITS.line));
const lines = v.pipe(v.array(line), v.maxLength(TLS_REPORT_LIMITS.lines));
/** One where a list is meant. */
const linesOrOne = v.optional(
  v.nullable(
    v.union([
      lines,
      v.pipe(
        line,
        v.transform((one) => [one]),
      ),
    ]),
  ),
  [],
);
const maybe = v.optional(v.nullable(text));
/** date-time of RFC 3339 §5.6. */
const moment = v.pipe(
  text,
  v.regex(/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/),
  v.transform((written) => Date.parse(written.replace(' ', 'T').toUpperCase())),
  v.check((ms) => !Number.isNaN(ms)),
);

const failure = v.object({
  'result-type': text,
  'failed-session-count': count,
  'sending-mta-ip': maybe,
  'receiving-mx-hostname': maybe,
  'receiving-mx-helo': maybe,
  'receiving-ip': maybe,
  'additional-information': maybe,
  'failure-reason-code': maybe,
});

const policy = v.object({
  policy: v.object({
    'policy-type': text,
    'policy-domain': text,
    'policy-string': linesOrOne,
    'mx-host': linesOrOne,
  }),
  summary: v.object({ 'total-successful-session-count': count, 'total-failure-session-count': count }),
  'failure-details': v.optional(v.nullable(v.pipe(v.array(failure), v.maxLength(TLS_REPORT_LIMITS.details))), []),
});

const schema = v.object({
  'organization-name': v.optional(v.nullable(text), ''),
  'date-range': v.object({ 'start-datetime': moment, 'end-datetime': moment }),
  'contact-info': v.optional(v.nullable(text), ''),
  'report-id': v.pipe(text, v.nonEmpty()),
  policies: v.pipe(v.array(policy), v.maxLength(TLS_REPORT_LIMITS.policies)),
});

/** @param octets JSON in UTF-8 @throws TlsReportError */
export function readTlsReport(octets: Uint8Array): TlsReport {
  const parsed = v.safeParse(schema, jsonOf(octets), { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new TlsReportError(`${v.getDotPath(issue) ?? 'the whole'} is not what RFC 8460 §4.4 says: ${issue.message}`);
  }
  const { output } = parsed;
  const range = output['date-range'];
  const [start, end] = [range['start-datetime'], range['end-datetime']];
  if (end < start || end - start > LONGEST) throw new TlsReportError('the time that it is about is no day');
  return {
    organization: output['organization-name'] ?? '',
    contact: output['contact-info'] ?? '',
    id: output['report-id'],
    start,
    end,
    policies: output.policies.map(policyOf),
  };
}

function jsonOf(octets: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch (cause) {
    throw new TlsReportError('it is no JSON in UTF-8', { cause });
  }
}

function policyOf(given: v.InferOutput<typeof policy>): TlsReportPolicy {
  const { summary } = given;
  return {
    type: given.policy['policy-type'].toLowerCase(),
    text: (given.policy['policy-string'] ?? []).map(cut),
    domain: given.policy['policy-domain'].toLowerCase().replace(/\.$/, ''),
    mxHosts: (given.policy['mx-host'] ?? []).map(cut),
    successes: summary['total-successful-session-count'],
    failures: summary['total-failure-session-count'],
    details: (given['failure-details'] ?? []).slice(0, TLS_REPORT_LIMITS.kept).map(failureOf),
  };
}

function failureOf(given: v.InferOutput<typeof failure>): TlsReportFailure {
  const said = {
    sendingIp: given['sending-mta-ip'],
    host: given['receiving-mx-hostname'],
    helo: given['receiving-mx-helo'],
    receivingIp: given['receiving-ip'],
    information: given['additional-information'],
    reason: given['failure-reason-code'],
  };
  const known = Object.entries(said).flatMap(([name, value]) => (value ? [[name, cut(value)]] : []));
  return {
    type: given['result-type'].toLowerCase(),
    sessions: given['failed-session-count'],
    ...Object.fromEntries(known),
  };
}

function cut(text: string): string {
  return text.slice(0, TLS_REPORT_LIMITS.keptText);
}
