// A TLS report (RFC 8460 §4) as a value, and as the JSON that is sent: what came of the TLS sessions of one day with the
// mail hosts of one domain. What is received is read by reader.ts.

export interface TlsReport {
  /** Who reports. */
  readonly organization: string;
  /** An address, for questions. */
  readonly contact: string;
  readonly id: string;
  /** The first and the last moment, ms since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly policies: readonly TlsReportPolicy[];
}

/** What came of sessions under one policy. */
export interface TlsReportPolicy {
  /** `tlsa`, `sts` or `no-policy-found`; others may come. */
  readonly type: string;
  /** The lines of an MTA-STS policy, or a TLSA record each (RFC 8460 §4.5). */
  readonly text: readonly string[];
  readonly domain: string;
  /** Patterns of the MTA-STS policy. */
  readonly mxHosts: readonly string[];
  /** Sessions. */
  readonly successes: number;
  readonly failures: number;
  readonly details: readonly TlsReportFailure[];
}

/** Sessions that failed alike. */
export interface TlsReportFailure {
  /** RFC 8460 §4.3, result-type. */
  readonly type: string;
  readonly sessions: number;
  readonly sendingIp?: string;
  readonly host?: string;
  readonly helo?: string;
  readonly receivingIp?: string;
  readonly information?: string;
  readonly reason?: string;
}

/** The report as JSON (RFC 8460 §4.4). What is not known is left out. */
export function formatTlsReport(report: TlsReport): string {
  return JSON.stringify({
    'organization-name': report.organization,
    'date-range': { 'start-datetime': moment(report.start), 'end-datetime': moment(report.end) },
    'contact-info': report.contact,
    'report-id': report.id,
    policies: report.policies.map(policyAsJson),
  });
}

function policyAsJson({ type, text, domain, mxHosts, successes, failures, details }: TlsReportPolicy): unknown {
  return {
    policy: {
      'policy-type': type,
      ...(text.length === 0 ? {} : { 'policy-string': text }),
      'policy-domain': domain,
      ...(mxHosts.length === 0 ? {} : { 'mx-host': mxHosts }),
    },
    summary: { 'total-successful-session-count': successes, 'total-failure-session-count': failures },
    'failure-details': details.map((failure) => ({
      'result-type': failure.type,
      'sending-mta-ip': failure.sendingIp,
      'receiving-mx-hostname': failure.host,
      'receiving-mx-helo': failure.helo,
      'receiving-ip': failure.receivingIp,
      'failed-session-count': failure.sessions,
      'additional-information': failure.information,
      'failure-reason-code': failure.reason,
    })),
  };
}

/** date-time of RFC 3339 §5.6, in whole seconds. */
function moment(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
