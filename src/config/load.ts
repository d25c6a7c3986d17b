// Reads the configuration: the file, the environment over it, the schema, the guard rails. The only way to a Config; what
// comes out is complete and checked, what is wrong is said with its line and what to write instead.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as v from 'valibot';
import type { Config } from './config.ts';
import { overlayEnvironment } from './environment.ts';
import { complaintsOf } from './guard-rails.ts';
import { type Outline, outlineAt, outlineOfConfig } from './outline.ts';
import { type Complaint, ConfigError, type Place } from './place.ts';
import { type Settings, schema } from './schema.ts';
import { nearest } from './suggestion.ts';
import { type Document, type Path, type Places, readToml } from './toml.ts';

const DEFAULT_FILE = 'config/postern.toml';
/** Octets. The file is read whole. */
const MAX_FILE = 1024 * 1024;

export interface LoadOptions {
  /** As `--config` gives it; null: POSTERN_CONFIG, or `config/postern.toml`. */
  readonly file: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths start from. */
  readonly cwd: string;
}

/** @throws ConfigError */
export async function loadConfig({ file, env, cwd }: LoadOptions): Promise<Config> {
  const name = file ?? (env.POSTERN_CONFIG || DEFAULT_FILE);
  const document = readToml(await readText(resolve(cwd, name), name), name);
  const outline = outlineOfConfig();
  overlayEnvironment(document, outline, env);
  const parsed = v.safeParse(schema, document.tree);
  if (!parsed.success) {
    throw new ConfigError(parsed.issues.map((issue) => complaintOf(issue, outline, document.places)));
  }
  const config = configOf(parsed.output, document, cwd);
  const complaints = complaintsOf(config, (path) => document.places.of(path));
  if (complaints.length > 0) throw new ConfigError(complaints);
  return config;
}

async function readText(path: string, name: string): Promise<string> {
  const wrong = (text: string, cause?: unknown) =>
    new ConfigError([{ place: { file: name, line: 0 }, text }], { cause });
  let octets: Buffer;
  try {
    octets = await readFile(path);
  } catch (cause) {
    // What readFile throws.
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw wrong(`cannot be read (${code})`, cause);
    throw wrong('does not exist: name another file with --config or POSTERN_CONFIG', cause);
  }
  if (octets.length > MAX_FILE) throw wrong('is too large for a configuration');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch (cause) {
    throw wrong('is not UTF-8, as TOML must be', cause);
  }
}

type Issue = v.InferIssue<typeof schema>;

function complaintOf(issue: Issue, outline: Outline, places: Places): Complaint {
  const path = (issue.path ?? []).map((item) => item.key as string | number); // keys of objects and arrays
  const key = path.at(-1);
  const name = nameOf(path);
  const place = places.of(path);
  if (issue.kind === 'transformation') return { place, text: `${name} ${issue.message}` };
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    return { place, text: unknownKey(String(key), path.slice(0, -1), outline) };
  }
  if (issue.received === 'undefined') return { place, text: `${name} is missing` };
  const wanted = outlineAt(outline, path)?.is === 'tables' ? `[[${name}]]` : `[${name.replace(/\[\d+\]$/, '')}]`;
  return { place, text: `${name} must be a table: write ${wanted} on a line of its own` };
}

function unknownKey(key: string, above: Path, outline: Outline): string {
  const here = outlineAt(outline, above);
  const known = here?.is === 'table' ? Object.keys(here.entries) : [];
  const meant = nearest(key, known);
  if (meant !== null) return `there is no "${key}"${inside(above)}; did you mean "${meant}"?`;
  // A key that stands under the wrong header is the commonest mistake of TOML.
  const atHome = homeOf(key, outline);
  const hint = atHome === null ? `known are ${known.join(', ')}` : `it belongs ${atHome}`;
  return `there is no "${key}"${inside(above)}; ${hint}`;
}

function inside(above: Path): string {
  return above.length === 0 ? '' : ` in ${nameOf(above)}`;
}

/** Where a key exists, if that is one place only. */
function homeOf(key: string, outline: Outline): string | null {
  const homes: string[] = [];
  const walk = (node: Outline, header: string): void => {
    if (node.is === 'tables') walk(node.each, `[${header}]`);
    if (node.is !== 'table') return;
    for (const [name, entry] of Object.entries(node.entries)) {
      if (name === key) homes.push(header === '' ? 'at the top, before the first [table]' : `in [${header}]`);
      walk(entry, header === '' ? name : `${header.replace(/^\[|\]$/g, '')}.${name}`);
    }
  };
  walk(outline, '');
  return homes.length === 1 ? (homes[0] ?? null) : null;
}

/** `listener[2].tls`, counted from 1 as people do. */
function nameOf(path: Path): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key + 1}]` : index > 0 ? `.${key}` : key)).join('');
}

/** The settings under the names of config.ts. */
function configOf(settings: Settings, { places }: Document, cwd: string): Config {
  const { tls, queue, relay, limits, submission, test, log } = settings;
  const absolute = (path: string) => resolve(cwd, path);
  const placeOf = (path: Path): Place => places.of(path);
  return {
    hostname: settings.hostname,
    domains: [...new Set(settings.domains)],
    data: absolute(settings.data),
    tls: {
      folder: absolute(tls.folder),
      certificates: tls.certificate.map(absolute),
      keys: tls.key.map(absolute),
    },
    listeners: settings.listener.map((listener) => ({
      role: listener.role,
      addresses: listener.address,
      port: listener.port,
      tls: listener.tls,
      cleartext: listener.cleartext,
      private: listener.private,
      earlyTalkerWait: listener.early_talker_wait,
    })),
    accounts: settings.account.map((account, index) => ({
      address: account.address,
      aliases: account.aliases,
      password: account.password ?? null,
      passwordHash: account.password_hash ?? null,
      quota: account.quota ?? null,
      place: placeOf(['account', index]),
    })),
    queue,
    relay: {
      smarthost: relay.smarthost ?? null,
      port: relay.port,
      loopback: relay.loopback,
      resolvers: relay.resolver.map(({ address, trusted }) => ({ ...address, trusted })),
      routes: relay.route,
      perDestination: relay.per_destination,
      concurrency: relay.concurrency,
    },
    limits: {
      messageSize: limits.message_size,
      headerSize: limits.header_size,
      recipients: limits.recipients,
      connections: limits.connections,
      connectionsPerSource: limits.connections_per_source,
      literal: limits.literal,
    },
    submission: { showClient: submission.show_client },
    test: { catchAll: test.catch_all, anyPassword: test.any_password, exposed: test.exposed },
    log: { level: log.level },
  };
}
