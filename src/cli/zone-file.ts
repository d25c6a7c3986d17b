// Records in the format of a zone file (RFC 1035 §5.1): each with its reason as a comment, ready to be put into one.

import { printable } from './columns.ts';
import type { Publication, ZoneRecord } from './publication.ts';

/** Octets of one string of a TXT record (RFC 1035 §3.3). */
const STRING = 255;

export function zoneFile({ records, policies, leftOut }: Publication): string {
  const lines = records.flatMap((record, index) => {
    // Neighbours with one reason share it.
    const said = records[index - 1]?.reason === record.reason;
    return [...(said ? [] : ['', `; ${record.reason}`]), recordLine(record)];
  });
  for (const { url, text, reason } of policies) {
    lines.push(
      '',
      `; ${url}`,
      `; ${reason}`,
      ...text
        .trimEnd()
        .split('\r\n')
        .map((line) => `;   ${line}`),
    );
  }
  if (leftOut.length > 0) {
    lines.push('', '; left out:', ...leftOut.map(({ name, type, reason }) => `;   ${name}. ${type}: ${reason}`));
  }
  return lines.slice(1).map(printable).join('\n');
}

function recordLine({ name, type, data }: ZoneRecord): string {
  return `${name}. IN ${type} ${type === 'TXT' ? quotedStrings(data) : data}`;
}

/** The text of a TXT record as its strings; who reads it puts them together again (RFC 7208 §3.3, RFC 6376 §3.6.2.2). */
export function quotedStrings(text: string): string {
  const strings: string[] = [];
  for (let at = 0; at < text.length; at += STRING) strings.push(text.slice(at, at + STRING));
  return strings.map((string) => `"${string.replace(/["\\]/g, '\\$&')}"`).join(' ');
}
