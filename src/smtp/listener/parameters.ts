// The parameters of MAIL and RCPT (RFC 5321 §4.1.2, esmtp-param) as values: SIZE, BODY, SMTPUTF8, REQUIRETLS, RET,
// ENVID and AUTH; NOTIFY and ORCPT. What is not known is 555, what is badly said is 501 (RFC 5321 §4.1.1.11).

import type { MailParameters, Notify, RcptParameters } from '../../formats/envelope.ts';
import { Refusal } from '../../formats/refusal.ts';
import { decodeXtext, isForeignXtext } from '../../formats/xtext.ts';
import { isSubmissionParameter, type SubmissionTime, submissionParameters } from './submission-parameters.ts';

/** RFC 3461 §4.4, §4.2, as said. */
const ENVID_MAX = 100;
const ORCPT_MAX = 500;

// esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-"), esmtp-value = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)
const PARAMETER = /^([a-z0-9][a-z0-9-]*)(?:=([!-<>-~\u{80}-\u{10ffff}]+))?$/iu;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * @param text what follows the path
 * @param submission null on a transfer port. Elsewhere AUTH= is known (RFC 4954 §5), since AUTH is offered; it is checked
 *   and not believed
 * @param secure REQUIRETLS is known over TLS only (RFC 8689 §2)
 * @throws Refusal 501, 555
 */
export function mailParameters(text: string, submission: SubmissionTime | null, secure: boolean): MailParameters {
  const parameters: Mutable<MailParameters> = {};
  const said = split(text);
  for (const [name, value] of said) {
    switch (name) {
      case 'SIZE':
        // RFC 1870 §3: 1*20DIGIT.
        if (value === undefined || !/^\d{1,20}$/.test(value)) throw malformed(name);
        parameters.size = Number(value);
        break;
      case 'BODY':
        parameters.body = oneOf(name, value, ['7BIT', '8BITMIME', 'BINARYMIME']);
        break;
      case 'SMTPUTF8':
        if (value !== undefined) throw malformed(name);
        parameters.smtputf8 = true;
        break;
      case 'REQUIRETLS':
        if (!secure) throw unknown(name);
        if (value !== undefined) throw malformed(name);
        parameters.requiretls = true;
        break;
      case 'RET':
        parameters.ret = oneOf(name, value, ['FULL', 'HDRS']);
        break;
      case 'ENVID':
        parameters.envid = printable(name, xtext(name, value, ENVID_MAX));
        if (isForeignXtext(value, parameters.envid)) parameters.envidXtext = value;
        break;
      case 'AUTH':
        if (submission === null) throw unknown(name);
        if (value !== '<>') xtext(name, value, ORCPT_MAX);
        break;
      default:
        if (submission === null || !isSubmissionParameter(name, submission)) throw unknown(name);
    }
  }
  return submission === null ? parameters : { ...parameters, ...submissionParameters(said, submission) };
}

/** @param smtputf8 MAIL asked for it, so ORCPT may be UTF-8 (RFC 6533 §3). @throws Refusal 501, 555 */
export function rcptParameters(text: string, smtputf8: boolean): RcptParameters {
  const parameters: Mutable<RcptParameters> = {};
  for (const [name, value] of split(text)) {
    if (name === 'NOTIFY') parameters.notify = notify(value);
    else if (name === 'ORCPT') Object.assign(parameters, orcpt(value, smtputf8));
    else throw unknown(name);
  }
  return parameters;
}

/** RFC 3461 §4.1: NEVER stands alone. */
function notify(value: string | undefined): Notify {
  const words = (value ?? '').toUpperCase().split(',');
  if (words.length === 1 && words[0] === 'NEVER') return 'never';
  return words.map((word) => {
    if (words.indexOf(word) !== words.lastIndexOf(word)) throw malformed('NOTIFY');
    if (word === 'SUCCESS') return 'success';
    if (word === 'FAILURE') return 'failure';
    if (word === 'DELAY') return 'delay';
    throw malformed('NOTIFY');
  });
}

/** original-recipient-address = addr-type ";" xtext (RFC 3461 §4.2); of type utf-8 also as it is (RFC 6533 §3). */
function orcpt(value: string | undefined, smtputf8: boolean): Pick<RcptParameters, 'orcpt' | 'orcptXtext'> {
  const [, type, said] = /^([a-z0-9][a-z0-9-]*);(.+)$/isu.exec(value ?? '') ?? [];
  if (type === undefined || said === undefined) throw malformed('ORCPT');
  const isUtf8 = type.toLowerCase() === 'utf-8';
  if (smtputf8 && isUtf8 && Buffer.byteLength(said) <= ORCPT_MAX) {
    if (!/[\u{80}-\u{9f}\u{2028}\u{2029}\u{fffd}]/u.test(said)) return { orcpt: `${type};${said}` };
  }
  const address = xtext('ORCPT', said, ORCPT_MAX);
  if (isUtf8) return { orcpt: `${type};${address}` };
  const known = { orcpt: `${type};${printable('ORCPT', address)}` };
  return isForeignXtext(said, address) ? { ...known, orcptXtext: said } : known;
}

/** RFC 3461 §4.2, §4.4: what stands in a report is ASCII. */
function printable(name: string, text: string): string {
  if (/[^ -~]/.test(text)) throw malformed(name);
  return text;
}

/** Decoded; never empty. */
function xtext(name: string, value: string | undefined, max: number): string {
  const text = value !== undefined && value.length <= max ? decodeXtext(value) : null;
  if (text === null || text === '') throw malformed(name);
  return text;
}

function oneOf<T extends string>(name: string, value: string | undefined, values: readonly T[]): T {
  const wanted = value?.toUpperCase();
  const found = values.find((candidate) => candidate === wanted);
  if (found === undefined) throw malformed(name);
  return found;
}

/** Names in upper case; each once (RFC 5321 §4.1.1.11 is silent, RFC 3461 §4 is not). */
function split(text: string): Map<string, string | undefined> {
  const parameters = new Map<string, string | undefined>();
  if (text === '') return parameters;
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const match = PARAMETER.exec(word);
    if (match?.[1] === undefined) throw new Refusal(501, '5.5.4', 'Malformed parameter');
    const name = match[1].toUpperCase();
    if (parameters.has(name)) throw new Refusal(501, '5.5.4', `Parameter ${name} is given twice`);
    parameters.set(name, match[2]);
  }
  return parameters;
}

function malformed(name: string): Refusal {
  return new Refusal(501, '5.5.4', `Parameter ${name} has a bad value`);
}

function unknown(name: string): Refusal {
  return new Refusal(555, '5.5.4', `Parameter ${name.slice(0, 40)} is not known`);
}
