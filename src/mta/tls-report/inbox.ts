// TLS reports that others send us (RFC 8460 §5.3): each message to the configured address is gathered while it is staged,
// and if it is a report, signed by who reports, and about us, it is in the store before the message is answered. What is
// none is an ordinary message.

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { TlsReportsConfig } from '../../config/config.ts';
import { type Address, parseMailbox } from '../../formats/address.ts';
import { firstField, type HeaderField } from '../../formats/header.ts';
import { Refusal } from '../../formats/refusal.ts';
import { tlsReportPart } from '../../formats/tls-report/part.ts';
import { readTlsReport, TlsReportError } from '../../formats/tls-report/reader.ts';
import type { TlsReport } from '../../formats/tls-report/report.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Dns } from '../../platform/dns.ts';
import type { Log } from '../../platform/log.ts';
import type { ReceivedTlsPolicyRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import { answerableDomains } from '../../trust/dkim/verifier.ts';
import type { ArrivedHeader } from '../content.ts';
import type { Inspection } from '../takeover.ts';
import { isTlsReportAddress } from './address.ts';

export interface TlsReportInbox {
  /** Are reports taken at this address? */
  isFor(address: Address): boolean;
  /** Looks at one message. @param messageId its id in the log */
  inspect(messageId: string): Inspection;
}

export interface InboxOptions {
  readonly store: Pick<Store, 'execute'>;
  readonly dns: Pick<Dns, 'txt'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly domains: readonly string[];
  /** Of our mail host, which has policies of its own (DANE). */
  readonly hostname: string;
  readonly tlsReports: Pick<TlsReportsConfig, 'address'>;
}

/** Octets of a message that is looked at, of all that are at a time, and of a report that was compressed. */
const LIMITS = { message: 2 * 1024 * 1024, messages: 16 * 1024 * 1024, report: 4 * 1024 * 1024 } as const;
/** ms that a report is kept. */
const FORGET = 366 * 24 * 3_600_000;

const unpack = promisify(gunzip);

export function createTlsReportInbox(options: InboxOptions): TlsReportInbox {
  /** Octets of all messages that are being gathered. */
  let gathered = 0;
  return {
    isFor: (address) => isTlsReportAddress(options.tlsReports, options.domains, address),
    inspect(messageId) {
      let pieces: Buffer[] = [];
      let size = 0;
      let fields: readonly HeaderField[] = [];
      /** Why it is not gathered. */
      let skipped: 'large' | 'busy' | null = null;
      const forget = () => {
        gathered -= size;
        size = 0;
        pieces = [];
      };
      const gather = (octets: Uint8Array) => {
        if (skipped !== null) return;
        if (size + octets.length > LIMITS.message) skipped = 'large';
        else if (gathered + octets.length > LIMITS.messages) skipped = 'busy';
        if (skipped !== null) {
          forget();
          return;
        }
        size += octets.length;
        gathered += octets.length;
        // They are not to be kept as they are.
        pieces.push(Buffer.from(octets));
      };
      return {
        header(stored: ArrivedHeader) {
          fields = stored.fields;
          gather(stored.octets);
        },
        body: gather,
        async done(alone) {
          if (skipped === 'busy') throw new Refusal(451, '4.3.2', 'Too many reports at once, come again');
          const verdict =
            skipped === 'large' ? no('it is too large') : await take(options, Buffer.concat(pieces), fields);
          if (verdict.kind === 'taken') {
            const { kind, ...facts } = verdict;
            options.log.info({ message: messageId, ...facts }, 'TLS report received');
            return;
          }
          options.log.warn({ message: messageId, reason: verdict.reason }, 'no TLS report, at the address for them');
          // Nobody else takes it: then its sender is to know.
          if (alone) throw refusalOf(verdict);
        },
        end: forget,
      };
    },
  };
}

type Verdict =
  | {
      readonly kind: 'taken';
      readonly organization: string;
      readonly report: string;
      readonly signer: string;
      readonly policies: number;
      readonly failures: number;
      readonly known: boolean;
    }
  | { readonly kind: 'none'; readonly reason: string; readonly unsigned: boolean };

function no(reason: string, unsigned = false): Verdict {
  return { kind: 'none', reason, unsigned };
}

function refusalOf({ unsigned, reason }: Extract<Verdict, { kind: 'none' }>): Refusal {
  // RFC 7372 §3.1: no signature that fits.
  if (unsigned)
    return new Refusal(550, '5.7.20', 'This address takes TLS reports only with a DKIM signature of the reporter');
  return new Refusal(550, '5.6.0', 'This address takes only TLS reports (RFC 8460)', reason);
}

/** @throws Refusal where nobody knows whether it is signed; StoreError */
async function take(
  { store, dns, clock, domains, hostname }: InboxOptions,
  message: Buffer,
  header: readonly HeaderField[],
): Promise<Verdict> {
  const part = tlsReportPart(message);
  if (part === null) return no('it holds no report');
  let report: TlsReport;
  try {
    report = readTlsReport(part.compressed ? await unpacked(part.octets) : part.octets);
  } catch (error) {
    if (!(error instanceof TlsReportError)) throw error;
    return no(error.message);
  }
  // RFC 8460 §3: without a signature of the reporting domain it is ignored.
  const signed = await answerableDomains(message, { dns, now: clock.now(), services: ['tlsrpt', 'email'] });
  if (signed.kind === 'unknown') {
    throw new Refusal(451, '4.4.3', 'The DNS does not tell whether this is signed', `no key: ${signed.text}`);
  }
  const reporters = reportersOf(report, header);
  const signer = signed.domains.find((domain) => reporters.some((reporter) => isAligned(domain, reporter)));
  if (signer === undefined) {
    const tried = signed.testing.length === 0 ? '' : `; ${signed.testing.join(', ')} only tests DKIM (t=y)`;
    return no(
      `it is not signed by ${reporters.join(', ') || 'anybody'}, but by ${signed.domains.join(', ') || 'nobody'}${tried}`,
      true,
    );
  }
  const policies = report.policies.filter(({ domain }) => [...domains, hostname].some((our) => isBelow(domain, our)));
  if (policies.length === 0) return no('it is not about us');
  const receivedAt = clock.now();
  const rows = policies.map(
    (policy, position): ReceivedTlsPolicyRow => ({
      organization: report.organization,
      contact: report.contact,
      signer,
      reportId: report.id,
      position,
      startAt: report.start,
      endAt: report.end,
      receivedAt,
      policy: policy.type,
      domain: policy.domain,
      policyText: policy.text,
      mxHosts: policy.mxHosts,
      successes: policy.successes,
      failures: policy.failures,
      details: policy.details,
    }),
  );
  const { stored } = await store.execute<'put-received-tls-report'>({
    kind: 'put-received-tls-report',
    rows,
    forget: receivedAt - FORGET,
  });
  const failures = policies.reduce((sum, policy) => sum + policy.failures, 0);
  const { organization, id } = report;
  return { kind: 'taken', organization, report: id, signer, policies: rows.length, failures, known: !stored };
}

/** @throws TlsReportError */
async function unpacked(octets: Uint8Array): Promise<Uint8Array> {
  try {
    return await unpack(octets, { maxOutputLength: LIMITS.report });
  } catch (cause) {
    throw new TlsReportError('what is compressed cannot be unpacked, or is too large', { cause });
  }
}

/** Who says that they report: by the contact, and by the field that must agree with it (RFC 8460 §5.3). */
function reportersOf({ contact }: TlsReport, header: readonly HeaderField[]): readonly string[] {
  const submitter = firstField(header, 'tls-report-submitter')?.value.toLowerCase();
  const claimed = [parseMailbox(contact)?.domain, submitter];
  return [...new Set(claimed.flatMap((domain) => (domain === undefined || domain === '' ? [] : domain)))];
}

/** One organization: the same domain, or one below the other. */
function isAligned(one: string, other: string): boolean {
  return isBelow(one, other) || isBelow(other, one);
}

function isBelow(domain: string, above: string): boolean {
  return domain === above || domain.endsWith(`.${above}`);
}
