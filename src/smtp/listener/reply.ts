// Replies on the wire (RFC 5321 §4.2, RFC 2034 §4): the enhanced status code stands on every line of a reply.

import type { Reply } from '../../formats/refusal.ts';
import { LIMITS } from './limits.ts';

/** The octets of a reply, all of them ASCII, with its last CRLF. What could break a line is replaced. */
export function formatReply(reply: Reply): string {
  const { code, status, text } = reply;
  const lead = status === undefined ? '' : `${status} `;
  if (!text.includes('\n')) return `${code} ${lead}${clean(text)}\r\n`;
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  let wire = '';
  for (const line of lines) wire += `${code}-${lead}${clean(line)}\r\n`;
  return `${wire}${code} ${lead}${clean(last)}\r\n`;
}

// Room for code, separator, status and CRLF.
const TEXT_MAX = LIMITS.replyLine - 20;

function clean(line: string): string {
  const safe = /[^ -~]/.test(line) ? line.replace(/[^ -~]/g, '?') : line;
  return safe.length > TEXT_MAX ? safe.slice(0, TEXT_MAX) : safe;
}
