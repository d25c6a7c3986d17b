// The kinds of value that a setting can have, each with its reading and with what to write where it is wrong. As valibot
// schemas, so that schema.ts is a plain list of settings.

import { isIP } from 'node:net';
import * as v from 'valibot';
import { formatAddress, normalizeDomain, parseMailbox } from '../formats/address.ts';

/** How a value is written in an environment variable, which knows only text. */
export type Kind = 'text' | 'number' | 'boolean' | 'list';

/** Thrown by a reading; the text says what to write. */
class Unfit extends Error {}

/** A setting: what TOML or the environment gave goes through `read`, which throws Unfit. */
function setting<T>(kind: Kind, read: (input: unknown) => T) {
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

function textOf(input: unknown, expected: string): string {
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

/** A time such as `5m`, in ms. */
export const duration = (least = 0) =>
  setting('text', (input) => {
    const value = durationOf(input);
    if (value < least) throw new Unfit(`must be at least ${least / 1000} s`);
    return value;
  });

export const durations = () =>
  setting('list', (input) => {
    const values = listOf(input).map(durationOf);
    if (values.some((value) => value < 1000)) throw new Unfit('each time must be at least "1s"');
    if (values.length === 0) throw new Unfit('must name at least one time');
    return values;
  });

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
    if (octets < least || octets > most) throw new Unfit(`must be from ${least} to ${most} octets`);
    return octets;
  });

/** One or a list; a single value is a list of one. */
function listOf(input: unknown): readonly unknown[] {
  return Array.isArray(input) ? input : [input];
}

function domainOf(input: unknown): string {
  const domain = normalizeDomain(textOf(input, 'a domain name such as "example.org"'));
  if (domain === '' || domain.startsWith('[')) throw new Unfit('must be a domain name such as "example.org"');
  return domain;
}

export const domain = () => setting('text', domainOf);
export const domains = () => setting('list', (input) => listOf(input).map(domainOf));

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

export const ipAddresses = () =>
  setting('list', (input) => {
    const addresses = listOf(input).map((address) => {
      const value = textOf(address, 'an IP address such as "127.0.0.1"');
      if (isIP(value) === 0) {
        const hint = value === 'localhost' ? '"127.0.0.1" or "::1"' : '"0.0.0.0" or "::" (all), or "127.0.0.1"';
        throw new Unfit(`must be an IP address such as ${hint}, not ${JSON.stringify(value)}`);
      }
      return value;
    });
    if (addresses.length === 0) throw new Unfit('must name at least one IP address');
    return addresses;
  });

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
  return formatAddress(address);
}

export const mailbox = () => setting('text', mailboxOf);
export const mailboxes = () => setting('list', (input) => listOf(input).map(mailboxOf));

export const files = () =>
  setting('list', (input) =>
    listOf(input).map((file) => {
      const value = textOf(file, 'the path of a file, or a list of them');
      if (value === '') throw new Unfit('must be the path of a file, not empty');
      return value;
    }),
  );

/** RFC 4616 §2 and common sense: what a client could ever send as a password. */
export const password = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a password');
    if (value === '' || value.includes('\0') || Buffer.byteLength(value) > 1024) {
      throw new Unfit('must be a password of 1 to 1024 octets without NUL');
    }
    return value;
  });

export const passwordHash = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a hash of argon2id');
    if (!/^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/.test(value)) {
      throw new Unfit('must be a hash such as "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH"; or use password = "…"');
    }
    return value;
  });

/** A smarthost as a URL. `smtps` is implicit TLS; `smtp` demands STARTTLS unless `?tls=` says otherwise. */
export const smarthost = () =>
  setting('text', (input) => {
    const value = textOf(input, 'a URL such as "smtps://user:secret@smtp.example.net:465"');
    const url = URL.parse(value);
    const implicit = url?.protocol === 'smtps:';
    if (url === null || !(implicit || url.protocol === 'smtp:') || url.hostname === '' || url.pathname.length > 1) {
      throw new Unfit('must be a URL such as "smtps://user:secret@smtp.example.net:465" or "smtp://…:587"');
    }
    const asked = url.searchParams.get('tls');
    const choices = ['opportunistic', 'required', 'verified', 'none'] as const;
    const explicit = choices.find((choice) => choice === asked);
    if ([...url.searchParams.keys()].some((key) => key !== 'tls') || (asked !== null && (implicit || !explicit))) {
      throw new Unfit(`takes only ?tls=${choices.join('|')}, and only with smtp://`);
    }
    const tls = implicit ? 'implicit' : (explicit ?? 'required');
    if (url.username !== '' && (tls === 'none' || tls === 'opportunistic')) {
      throw new Unfit('would send a password in clear: use smtps://, or smtp:// with ?tls=required or verified');
    }
    const name = decoded(url.hostname.replace(/^\[|\]$/g, ''));
    const host = isIP(name) === 0 ? normalizeDomain(name) : name;
    if (host === '') throw new Unfit('must name a host after the "@", such as "smtps://user:secret@smtp.example.net"');
    return {
      host,
      port: url.port === '' ? (implicit ? 465 : 587) : Number(url.port),
      tls,
      user: url.username === '' ? null : decoded(url.username),
      password: url.password === '' ? null : decoded(url.password),
    } as const;
  });

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Unfit('has a "%" in its user or password that starts no %XX: write "%25" for the sign itself');
  }
}
