// A delivery report as its reader has it (RFC 3464, RFC 6522): taken apart by mailparser and by the blank lines of its
// second part. Demands the form, judges nothing of the contents.

import { simpleParser } from 'mailparser';

export interface Report {
  readonly from: string;
  readonly to: string;
  readonly autoSubmitted: string;
  readonly inReplyTo: string | undefined;
  /** Per-message fields, names in lower case. */
  readonly message: ReadonlyMap<string, string>;
  /** Per-recipient fields, a recipient each. */
  readonly recipients: readonly ReadonlyMap<string, string>[];
  /** The original or its header, with its media type. */
  readonly returned: { readonly type: string; readonly text: string };
}

/** @throws Error where it is no multipart/report of a delivery status with three parts */
export async function readReport(octets: Uint8Array | undefined): Promise<Report> {
  const text = Buffer.from(octets ?? []).toString('utf8');
  const mail = await simpleParser(text);
  const type: unknown = mail.headers.get('content-type');
  if (!isReportType(type)) throw new Error(`no delivery report: ${text.slice(0, 500)}`);
  const parts = text.split(`--${type.params.boundary}`).slice(1, -1);
  const [, status = '', returned = ''] = parts;
  if (parts.length !== 3) throw new Error(`a report has three parts, not ${parts.length}`);
  const [statusHeader, ...groups] = status.trim().split(/\r?\n\r?\n/);
  if (!/^content-type: message\/(?:global-)?delivery-status/im.test(statusHeader ?? '')) throw new Error(status);
  const [returnedHeader = '', ...rest] = returned.replace(/^\r?\n/, '').split(/\r?\n\r?\n/);
  const [message = new Map(), ...recipients] = groups.map(fieldsOf);
  return {
    from: mail.from?.value[0]?.address ?? '',
    to: [mail.to ?? []].flat()[0]?.value[0]?.address ?? '',
    autoSubmitted: String(mail.headers.get('auto-submitted')),
    inReplyTo: mail.inReplyTo,
    message,
    recipients,
    returned: {
      type: /^content-type: ([^;\r\n]+)/im.exec(returnedHeader)?.[1]?.toLowerCase() ?? '',
      text: rest.join('\r\n\r\n'),
    },
  };
}

function isReportType(type: unknown): type is { params: { boundary: string } } {
  if (typeof type !== 'object' || type === null || !('value' in type) || !('params' in type)) return false;
  const { params } = type;
  return (
    type.value === 'multipart/report' &&
    typeof params === 'object' &&
    params !== null &&
    'report-type' in params &&
    params['report-type'] === 'delivery-status' &&
    'boundary' in params
  );
}

function fieldsOf(group: string): Map<string, string> {
  const unfolded = group.replace(/\r?\n[ \t]+/g, ' ');
  return new Map(
    unfolded.split(/\r?\n/).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
