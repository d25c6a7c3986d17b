// What the lines of a transcript mean: placeholders in C lines become octets, wildcards in S lines become an expression.
// Pure. A wildcard never matches CR or LF, and <text> no "[": a response code is no human text.

import { ScriptError } from './script.ts';

/** What captures have bound so far: `<number:v>` binds v, `<=v>` says it again. */
export type Bindings = Map<string, string>;

const date = String.raw`(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d [-+]\d{4}`;

/** The wildcards of S lines. Unknown lower-case names in brackets are an error, so that a slip is not a literal. */
const wildcards: Readonly<Record<string, string>> = {
  text: '[^\\[\\r\\n]+',
  number: '\\d+',
  uid: '[1-9]\\d*',
  word: '[^\\s()\\[\\]"]+',
  base64: '[A-Za-z0-9+/]+={0,2}',
  quoted: '"(?:[^"\\\\\\r\\n]|\\\\["\\\\])*"',
  /** RFC 3501 §9 date-time, with its quotes. */
  internaldate: '"[ \\d]\\d-[A-Z][a-z]{2}-\\d{4} \\d\\d:\\d\\d:\\d\\d [-+]\\d{4}"',
  /** RFC 5322 §3.3 date-time. */
  date,
  /** RFC 3463 §2. */
  status: '[245]\\.\\d{1,3}\\.\\d{1,3}',
  /** RFC 5322 §3.6.4, with its angle brackets. */
  msgid: '<[^<>@\\s]+@[^<>@\\s]+>',
  /** Whatever there is, "[" included. For lines whose content is the business of another test. */
  anything: '[^\\r\\n]*',
};

/**
 * Octets (one a character, latin1) of a C line, without its CRLF.
 *
 *     placeholder = "<=" name ">" / "<base64 " escaped ">" / "<repeat " number " " escaped ">"
 *
 * Text outside ASCII is sent as UTF-8.
 */
export function octetsOf(text: string, raw: boolean, bindings: Bindings): Buffer {
  const filled = text.replace(/<(?:=(\w+)|base64 ([^>]*)|repeat (\d+) ([^>]+))>/g, (all, name, plain, times, what) => {
    if (plain !== undefined) return Buffer.from(unescaped(plain)).toString('base64');
    if (times !== undefined) return unescaped(what).repeat(Number(times));
    const value = bindings.get(name);
    if (value === undefined) throw new ScriptError(`${all} has not been captured`);
    return value;
  });
  if (!raw) return Buffer.from(`${filled}\r\n`);
  return bytesOfEscapes(filled);
}

/** The expression that a whole S line, without its CRLF, has to match. Lines are compared as latin1 text. */
export function expressionOf(pattern: string, bindings: Bindings): RegExp {
  let source = '';
  let end = 0;
  for (const found of pattern.matchAll(/<(?:=(\w+)|([a-z0-9]+)(?::(\w+))?)>/g)) {
    const [all, back, name = '', capture] = found;
    source += literal(pattern.slice(end, found.index));
    end = found.index + all.length;
    if (back !== undefined) {
      const value = bindings.get(back);
      if (value === undefined) throw new ScriptError(`${all} has not been captured`);
      source += escapeExpression(value);
      continue;
    }
    const wildcard = wildcards[name];
    if (wildcard === undefined) throw new ScriptError(`no wildcard is called <${name}>`);
    source += capture === undefined ? `(?:${wildcard})` : `(?<${capture}>${wildcard})`;
  }
  return new RegExp(`^${source}${literal(pattern.slice(end))}$`, 'u');
}

const escapeExpression = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const literal = (text: string): string => escapeExpression(Buffer.from(text).toString('latin1'));

/** Escapes of raw lines: \r \n \t \0 \\ and \xHH, which is one octet. */
function bytesOfEscapes(text: string): Buffer {
  const parts: Buffer[] = [];
  for (const [part] of text.matchAll(/\\x[0-9a-fA-F]{2}|\\.|[^\\]+/g)) {
    parts.push(part.startsWith('\\x') ? Buffer.from(part.slice(2), 'hex') : Buffer.from(unescaped(part)));
  }
  return Buffer.concat(parts);
}

const escapes: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' };

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (all, letter: string) => {
    const value = escapes[letter];
    if (value === undefined) throw new ScriptError(`no escape is called ${all}`);
    return value;
  });
}
