// The kinds of value that a setting can have, each with its reading and with what to write where it is wrong. As valibot
// schemas, so that schema.ts is a plain list of settings.

import { isIP, SocketAddress } from 'node:net';
import * as v from 'valibot';
import { formatAddress, normalizeDomain, parseMailbox } from '../formats/address.ts';
import { parsePhc } from '../formats/phc.ts';
import { saslprep } from '../formats/saslprep.ts';

/** How a value is written in an environment variable, which knows only text. */
export type Kind = 'text' | 'number' | 'boolean' | 'list';

/** Thrown by a reading; the text says what to write. */
export class Unfit extends Error {}

/** A setting: what TOML or the environment gave goes through `read`, which throws Unfit. */
export function setting<T>(kind: Kind, read: (input: unknown) => T) {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return read(dataset.value);
      } catch (error) {
        if (!(error instanceof Unfit)) throw error;
        addIssue({ message: error.message });
        return NEVER;
      }
    }),
    v.metadata({ kind }),
  );
}

export function textOf(input: unknown, expected: string): string {
  if (typeof input !== 'string') throw new Unfit(`must be ${expected}, in quotes`);
  return input;
}

/** Any text but an empty one. */
export const text = (expected: string) =>
  setting('text', (input) => {
    const value = textOf(input, expected);
    if (value === '') throw new Unfit(`must be ${expected}, not empty`);
    return value;
  });

export const boolean = () =>
  setting('boolean', (input) => {
    if (typeof input !== 'boolean') throw new Unfit('must be true or false, without quotes');
    return input;
  });

export const integer = (least: number, most: number) =>
  setting('number', (input) => {
    if (typeof input !== 'number' || !Number.isInteger(input) || input < least || input > most) {
      throw new Unfit(`must be a whole number from ${least} to ${most}, without quotes`);
    }
    return input;
  });

export const oneOf = <const T extends string>(...choices: readonly T[]) =>
  setting('text', (input) => {
    const found = choices.find((choice) => choice === input);
    if (found === undefined) throw new Unfit(`must be one of ${choices.map((choice) => `"${choice}"`).join(', ')}`);
    return found;
  });

const UNITS_OF_TIME = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

function durationOf(input: unknown): number {
  const match = /^(\d{1,9}) ?(ms|s|m|h|d|w)$/.exec(typeof input === 'string' ? input : '');
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new Unfit('must be a time such as "30s", "5m", "4h" or "5d" (ms, s, m, h, d, w)');
  }
  return Number(match[1]) * UNITS_OF_TIME[match[2] as keyof typeof UNITS_OF_TIME]; // the pattern names no other
}

function durationWithin(input: unknown, least: number, most: number): number {
  const value = durationOf(input);
  if (value < least || value > most) throw new Unfit(`must be from "${inUnits(least)}" to "${inUnits(most)}"`);
  return value;
}

/** In the largest unit that leaves no rest. */
function inUnits(ms: number): string {
  if (ms === 0) return '0s';
  const unit = Object.entries(UNITS_OF_TIME).findLast(([, size]) => size <= 86_400_000 && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

/** A time such as `5m`, in ms. */
export const duration = (least: number, most: number) => setting('text', (input) => durationWithin(input, least, most));

export const durations = (least: number, most: number) =>
  setting('list', (input) => listOf(input, 'a time').map((each) => durationWithin(each, least, most)));

const UNITS_OF_SIZE = { '': 1, B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

/** A size such as `50MB`, in octets. As mail programs count: MB and MiB are both 1,048,576 octets. */
export const size = (least: number, most: number) =>
  setting('text', (input) => {
    const match = /^(\d{1,15}) ?(?:([KMGT])i?B?|B)?$/i.exec(String(input));
    if (match?.[1] === undefined || !['string', 'number'].includes(typeof input)) {
      throw new Unfit('must be a size such as "50MB", "512KB", "2GB", or a number of octets');
    }
    const unit = (match[2] ?? '').toUpperCase() as keyof typeof UNITS_OF_SIZE; // the pattern names no other
    const octets = Number(match[1]) * UNITS_OF_SIZE[unit];
    if (octets < least || octets > most) {
      throw new Unfit(`must be from "${inUnitsOfSize(least)}" to "${inUnitsOfSize(most)}"`);
    }
    return octets;
  });

/** In the largest unit that leaves no rest. */
function inUnitsOfSize(octets: number): string {
  const [unit = '', size = 1] = Object.entries(UNITS_OF_SIZE).findLast(([, each]) => octets % each === 0) ?? [];
  return octets === 0 ? '0' : `${octets / size}${unit.replace(/^[KMGT]$/, '$&B')}`;
}

/** Entries of a list of values; account and listener are lists of tables, and not meant. */
const MAX_LIST = 1_000;

/** One or a list; a single value is a list of one. */
export function listOf(input: unknown, expected: string): readonly unknown[] {
  if (!Array.isArray(input)) return [input];
  if (input.length === 0) throw new Unfit(`must name at least ${expected}`);
  if (input.length > MAX_LIST) throw new Unfit(`must name at most ${MAX_LIST}`);
  return input;
}

function domainOf(input: unknown): string {
  const domain = normalizeDomain(textOf(input, 'a domain name such as "example.org"'));
  if (domain === '' || domain.startsWith('[')) throw new Unfit('must be a domain name such as "example.org"');
  return domain;
}

export const domain = () => setting('text', domainOf);
export const domains = () => setting('list', (input) => listOf(input, 'one domain').map(domainOf));

/** The name of a DKIM key: sub-domain *( "." sub-domain ) (RFC 6376 §3.1). It stands in front of `_domainkey` and a
 * domain, and is the name of a file. */
export const selector = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a name such as "postern-rsa"').toLowerCase();
    if (value.length > 63 || !/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(value)) {
      throw new Unfit('must be a name of letters, digits and "-" such as "postern-rsa"');
    }
    return value;
  });

/** The name of a host: as a domain, but without underscores, which no certificate may name. */
export const hostname = () =>
  setting('text', (input) => {
    const name = domainOf(input);
    if (name.includes('_') || isIP(name) !== 0) throw new Unfit('must be a host name such as "mail.example.org"');
    return name;
  });

/** A name or an IP address: what can be connected to. */
export const host = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a host name or an IP address');
    return isIP(value) === 0 ? domainOf(value) : value;
  });

/** Characters of a wrong value that a message repeats. */
const MAX_SHOWN = 60;

/** IP addresses, each in one spelling (RFC 5952). */
export const ipAddresses = () =>
  setting('list', (input) =>
    listOf(input, 'one IP address').map((address) => {
      const value = textOf(address, 'an IP address such as "127.0.0.1"');
      const family = isIP(value);
      if (family === 0) {
        const hint = value === 'localhost' ? '"127.0.0.1" or "::1"' : '"0.0.0.0" or "::" (all), or "127.0.0.1"';
        throw new Unfit(`must be an IP address such as ${hint}, not ${JSON.stringify(value.slice(0, MAX_SHOWN))}`);
      }
      // A scope (`%eth0`) has no place in a SocketAddress.
      return family === 4 || value.includes('%')
        ? value
        : new SocketAddress({ address: value, family: 'ipv6' }).address;
    }),
  );

/** An IP address with a port, 53 if it is not said. */
export const resolverAddress = () =>
  setting('text', (input) => {
    const value = textOf(input, 'an IP address with a port such as "127.0.0.1:53"');
    const match = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(value) ?? /^([^:]+)(?::(\d{1,5}))?$/.exec(value);
    const address = isIP(value) === 0 ? (match?.[1] ?? '') : value;
    const port = Number((isIP(value) === 0 ? match?.[2] : undefined) ?? 53);
    if (isIP(address) === 0 || port < 1 || port > 65_535) {
      throw new Unfit('must be an IP address with a port, such as "127.0.0.1:53" or "[::1]:53"');
    }
    return { address, port };
  });

function mailboxOf(input: unknown): string {
  const address = parseMailbox(textOf(input, 'an address such as "alice@example.org"'));
  if (address === null) throw new Unfit('must be an address such as "alice@example.org"');
  if (address.localPart === '*') throw new Unfit('must be one address: "*" stands for nobody but itself');
  return formatAddress(address);
}

export const mailbox = () => setting('text', mailboxOf);
/** An address, or what stands in front of the `@` at each of our domains (null). */
export const mailboxOrLocalPart = () =>
  setting('text', (input) => {
    const value = textOf(input, 'an address, or its part in front of the "@"');
    const address = parseMailbox(value.includes('@') ? value : `${value}@example.org`);
    if (address === null) throw new Unfit('must be an address such as "tls@example.org", or "tls" for each domain');
    return { localPart: address.localPart, domain: value.includes('@') ? address.domain : null };
  });

/** May be none. */
export const mailboxes = () =>
  setting('list', (input) => (isNone(input) ? [] : listOf(input, 'one address').map(mailboxOf)));

/** May be none. */
export const files = () =>
  setting('list', (input) => {
    if (isNone(input)) return [];
    return listOf(input, 'one file').map((file) => {
      const value = textOf(file, 'the path of a file, or a list of them');
      if (value === '') throw new Unfit('must be the path of a file, not empty');
      return value;
    });
  });

export function isNone(input: unknown): boolean {
  return Array.isArray(input) && input.length === 0;
}

/** RFC 4616 §2 and common sense: what a client could ever send as a password. */
export const password = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a password');
    if (saslprep(value) === '' || value.includes('\0') || Buffer.byteLength(value) > 1024) {
      throw new Unfit('must be a password of 1 to 1024 octets without NUL');
    }
    return value;
  });

/** Who logs in elsewhere. */
export const user = () =>
  setting('text', (input) => {
    const value = textOf(input, 'the name to log in with');
    if (value === '' || value.includes('\0') || Buffer.byteLength(value) > 255) {
      throw new Unfit('must be a name of 1 to 255 octets without NUL');
    }
    return value;
  });

/** A URL of HTTPS, as it is written. */
export const webAddress = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a URL such as "https://id.example.org/realms/mail"');
    const url = URL.parse(value);
    if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || value.includes('#')) {
      throw new Unfit('must be a URL of https:// without a user and without "#"');
    }
    return value;
  });

/** scope = scope-token *( SP scope-token ) (RFC 6749 §3.3) */
export const scope = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a scope such as "mail"');
    if (!/^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/.test(value))
      throw new Unfit('must be names of scopes with single spaces between');
    return value;
  });

/** A program and its arguments, for no shell. */
export const command = () =>
  setting('list', (input) =>
    listOf(input, 'a program').map((word) => {
      const value = textOf(word, 'a program and its arguments, such as ["/usr/local/bin/token", "me@example.net"]');
      if (value.includes('\0')) throw new Unfit('must be a program and its arguments, without NUL');
      return value;
    }),
  );

export const passwordHash = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a hash of argon2id');
    if (parsePhc(value) === undefined) {
      throw new Unfit(
        'must be a hash such as "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH" (memory up to 256 MiB); or use password = "…"',
      );
    }
    return value;
  });
