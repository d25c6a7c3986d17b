// The command lines of a transaction (RFC 5321 §4.1.1.2, §4.1.1.3) with their parameters, as far as the server has
// offered the extensions: what it does not know is not said to it.

import { type Address, formatAddress } from '../../formats/address.ts';
import type { Envelope, MailParameters, Notify, Recipient } from '../../formats/envelope.ts';
import { encodeXtext } from '../../formats/xtext.ts';
import type { Extensions } from './extensions.ts';

/** What the message needs of the server besides. */
export interface Needs {
  /** Octets of the content, before dot-stuffing (RFC 1870 §5). */
  readonly size: number;
  readonly body: MailParameters['body'];
  readonly smtputf8: boolean;
  /** ms since the epoch. */
  readonly now: number;
}

export function mailLine(envelope: Envelope, { size, body, smtputf8, now }: Needs, extensions: Extensions): string {
  const { parameters, reversePath } = envelope;
  let line = `MAIL FROM:${path(reversePath)}`;
  if (extensions.size) line += ` SIZE=${size}`;
  if (extensions.eightBitMime && body === '8BITMIME') line += ' BODY=8BITMIME';
  if (extensions.binaryMime && body === 'BINARYMIME') line += ' BODY=BINARYMIME';
  if (smtputf8) line += ' SMTPUTF8';
  // RFC 8689 §2; the relay sends such a message to no server that has not offered it.
  if (extensions.requireTls && parameters.requiretls === true) line += ' REQUIRETLS';
  if (extensions.deliverBy !== null && parameters.deliverBy !== undefined)
    line += ` BY=${by(parameters.deliverBy, now)}`;
  if (extensions.mtPriority && parameters.priority !== undefined) line += ` MT-PRIORITY=${parameters.priority}`;
  // RFC 4954 §5: nobody here vouches for what a client says of who it is.
  if (extensions.loggedIn) line += ' AUTH=<>';
  if (extensions.dsn) {
    const { ret, envid, envidXtext } = parameters;
    if (ret !== undefined) line += ` RET=${ret}`;
    if (envid !== undefined) line += ` ENVID=${envidXtext ?? encodeXtext(envid)}`;
  }
  return `${line}\r\n`;
}

/** NOTIFY and ORCPT are those of this recipient (RFC 3461 §4.1, §4.2).
 * @param delay a delay is to be told of too @param smtputf8 MAIL asks for it */
export function rcptLine(recipient: Recipient, extensions: Extensions, delay: boolean, smtputf8: boolean): string {
  const { notify, orcpt, orcptXtext } = recipient.parameters;
  let line = rcptPath(recipient);
  if (extensions.dsn) {
    const asked = delay ? withDelay(notify) : notify;
    if (asked !== undefined) line += ` NOTIFY=${asked === 'never' ? 'NEVER' : asked.join(',').toUpperCase()}`;
    if (orcpt !== undefined) line += ` ORCPT=${originalRecipient(orcpt, orcptXtext, smtputf8)}`;
  }
  return `${line}\r\n`;
}

/** RCPT without its parameters: what all commands for this recipient begin with. */
export function rcptPath({ address }: Recipient): string {
  return `RCPT TO:${path(address)}`;
}

/** A server that knows of no time is asked to tell of a delay at least, as long as there is time (RFC 2852 §4.1.4.2). */
export function wantsDelay({ parameters: { deliverBy } }: Envelope, extensions: Extensions, now: number): boolean {
  return deliverBy?.mode === 'N' && extensions.deliverBy === null && now < deliverBy.at;
}

function withDelay(notify: Notify | undefined): Notify {
  if (notify === undefined) return ['failure', 'delay'];
  return notify === 'never' || notify.includes('delay') ? notify : [...notify, 'delay'];
}

/** by-value = by-time ";" by-mode [ by-trace ] (RFC 2852 §4); what is left of the time (RFC 2852 §4.1.4). */
function by({ at, mode, trace }: NonNullable<MailParameters['deliverBy']>, now: number): string {
  const left = Math.floor((at - now) / 1_000);
  return `${Math.max(-LONGEST_BY, Math.min(left, LONGEST_BY))};${mode}${trace ? 'T' : ''}`;
}

/** Seconds. */
const LONGEST_BY = 999_999_999;

function path(address: Address | null): string {
  return address === null ? '<>' : `<${formatAddress(address)}>`;
}

/** original-recipient-address = atom ";" xtext; for utf-8 as it is where the server takes it so, else the embedded form that
 * every server takes (RFC 6533 §3). @param xtext of the address, if it is not to be written in our way */
function originalRecipient(orcpt: string, xtext: string | undefined, smtputf8: boolean): string {
  const semicolon = orcpt.indexOf(';');
  const type = orcpt.slice(0, semicolon);
  const address = orcpt.slice(semicolon + 1);
  if (type.toLowerCase() !== 'utf-8') return `${type};${xtext ?? encodeXtext(address)}`;
  const embed = (character: string): string => `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
  return `${type};${address.replace(smtputf8 ? /[\0- \x7f+=]/g : /[^!-*,-<>-~]/gu, embed)}`;
}
