// MTA-STS as text (RFC 8461 §3): the TXT record that says that there is a policy, the policy itself, and whether a host is
// named in it. Pure; fetching and keeping it is mta-sts.ts's business.

import { isName } from '../../platform/dns-records.ts';

export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Patterns, lower case: a name, or `*.` and a name for one label in front of it. */
  readonly mx: readonly string[];
  /** Seconds that it holds. */
  readonly maxAge: number;
}

/** A policy that holds for a year: RFC 8461 §3.2. */
const MAX_AGE = 31_557_600;
/** Patterns of one policy. */
const MAX_PATTERNS = 100;
/** What a report repeats of a policy. */
const DECLARED = { characters: 8_000, lines: 150 } as const;

/**
 * sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]; the id is 1*32(ALPHA / DIGIT).
 * @returns the id of the one record that there is; null: there is none, or more than one, which counts as none
 */
export function policyId(records: readonly string[]): string | null {
  // RFC 8461 §3.1: what does not begin so is something else.
  const [only, ...more] = records.filter((record) => /^v=STSv1[ \t]*;/.test(record));
  if (only === undefined || more.length > 0) return null;
  const fields = only
    .split(';')
    .slice(1)
    .map((field) => field.trim());
  if (fields.at(-1) === '') fields.pop();
  // RFC 8461 §3.1: a record that is not well written is none.
  if (!fields.every((field) => FIELD.test(field))) return null;
  // RFC 8461 §3.2: of one that is there twice the first counts.
  const id = fields.find((field) => field.startsWith('id='))?.slice('id='.length) ?? '';
  return /^[a-z0-9]{1,32}$/i.test(id) ? id : null;
}

// sts-extension = sts-ext-name "=" sts-ext-value
const FIELD = /^[a-z0-9][a-z0-9_.-]{0,31}=[!-:<>-~]+$/i;

/**
 * sts-policy-record = *( sts-policy-field sts-policy-term ): `key: value` lines (RFC 8461 §3.2). Fields that are not known
 * are passed over; of one that is there twice the first counts, but for mx.
 * @returns null for what is no policy
 */
export function parsePolicy(text: string): StsPolicy | null {
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [key, value] = fieldOf(line);
    if (key === undefined) {
      if (line.trim() !== '') return null;
    } else if (key === 'mx') {
      const pattern = patternOf(value);
      if (pattern === null || mx.length === MAX_PATTERNS) return null;
      mx.push(pattern);
    } else if (!fields.has(key)) {
      fields.set(key, value);
    }
  }
  const mode = (['enforce', 'testing', 'none'] as const).find((one) => one === fields.get('mode'));
  const age = fields.get('max_age') ?? '';
  if (fields.get('version') !== 'STSv1' || mode === undefined || !/^\d{1,10}$/.test(age)) return null;
  if (mode !== 'none' && mx.length === 0) return null;
  return { mode, mx, maxAge: Math.min(Number(age), MAX_AGE) };
}

/** The key of a line, if it has one, and the value. */
function fieldOf(line: string): readonly [key: string | undefined, value: string] {
  const key = /^([a-z0-9][a-z0-9_.-]{0,31})[ \t]*:/i.exec(line)?.[1];
  // By hand, since a pattern that ends in white space takes a time that grows with the square of a line's length.
  return [key, line.slice(line.indexOf(':') + 1).trim()];
}

/** Lower case, without the final dot; null for what no host can have. */
function patternOf(value: string): string | null {
  const pattern = value.toLowerCase().replace(/\.$/, '');
  return isName(pattern.replace(/^\*\./, '')) ? pattern : null;
}

/** The lines of a policy as its domain has written them, for a report: RFC 8460 §4.5 wants them with what is wrong in them.
 * Each character that is not of ASCII is a question mark. */
export function declaredLines(text: string): readonly string[] {
  // A copy: a part of a text keeps all of it in memory.
  return Buffer.from(text.slice(0, DECLARED.characters))
    .toString()
    .split(/\r?\n/, DECLARED.lines)
    .map((line) =>
      line
        .replace(/\t/g, ' ')
        .replace(/[^ -~]/g, '?')
        .trim(),
    )
    .filter((line) => line !== '');
}

/** The patterns that such lines name (RFC 8460 §4.4, mx-host); what no host can have is passed over. */
export function declaredPatterns(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const [key, value] = fieldOf(line);
    return key === 'mx' ? (patternOf(value) ?? []) : [];
  });
}

/** RFC 8461 §4.1: a wildcard stands for exactly one label, the first. */
export function policyNames({ mx }: StsPolicy, host: string): boolean {
  const name = host.toLowerCase();
  return mx.some((pattern) =>
    pattern.startsWith('*.') ? name.slice(name.indexOf('.')) === pattern.slice(1) : name === pattern,
  );
}
