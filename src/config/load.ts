// Reads the configuration: the file, the environment over it, the schema, the guard rails. The only way to a Config; what
// comes out is complete and checked, what is wrong is said with its line and what to write instead.

import { resolve } from 'node:path';
import * as v from 'valibot';
import { readBounded } from '../platform/bounded-file.ts';
import type { Config } from './config.ts';
import { overlayEnvironment } from './environment.ts';
import { complaintsOf } from './guard-rails.ts';
import { complaintsOfOauth, oauthOf } from './oauth.ts';
import { type Outline, outlineOfConfig } from './outline.ts';
import { type Complaint, ConfigError, type Place } from './place.ts';
import { complaintsOfRelay, relayOf } from './relay.ts';
import { type Settings, schema } from './schema.ts';
import { complaintsOfShape, nameOf } from './shape.ts';
import { type Document, type Path, type Places, readToml } from './toml.ts';

const DAY = 24 * 60 * 60_000;
const DEFAULT_FILE = 'config/postern.toml';
/** Octets. The file is read whole. */
const MAX_FILE = 512 * 1024;

export interface LoadOptions {
  /** As `--config` gives it; null: POSTERN_CONFIG, or `config/postern.toml`. */
  readonly file: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths start from. */
  readonly cwd: string;
}

/** One reading of the configuration. */
export interface Reading {
  /** Under the names of the file. */
  readonly settings: Settings;
  /** As the program uses it. */
  readonly config: Config;
}

/** @throws ConfigError */
export async function loadConfig(options: LoadOptions): Promise<Config> {
  return (await readConfig(options)).config;
}

/** @throws ConfigError */
export async function readConfig({ file, env, cwd }: LoadOptions): Promise<Reading> {
  const name = file ?? (env.POSTERN_CONFIG || DEFAULT_FILE);
  const document = readToml(await readText(resolve(cwd, name), name), name);
  const outline = outlineOfConfig();
  checkShape(document, outline);
  overlayEnvironment(document, outline, env);
  checkShape(document, outline);
  const parsed = v.safeParse(schema, document.tree);
  if (!parsed.success) throw new ConfigError(parsed.issues.map((issue) => complaintOf(issue, document.places)));
  const at = (path: Path) => document.places.of(path);
  const { relay, oauth } = parsed.output;
  const complaints = [...complaintsOfRelay(relay, at), ...complaintsOfOauth(oauth, at)];
  const config = configOf(parsed.output, document, cwd);
  complaints.push(...complaintsOf(config, at));
  if (complaints.length > 0) throw new ConfigError(complaints);
  return { settings: parsed.output, config };
}

function checkShape(document: Document, outline: Outline): void {
  const complaints = complaintsOfShape(document, outline);
  if (complaints.length > 0) throw new ConfigError(complaints);
}

async function readText(path: string, name: string): Promise<string> {
  const wrong = (text: string, cause?: unknown) =>
    new ConfigError([{ place: { file: name, line: 0 }, text }], { cause });
  let octets: Buffer;
  try {
    octets = await readBounded(path, MAX_FILE);
  } catch (cause) {
    // What the file system throws.
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw wrong('does not exist: name another file with --config or POSTERN_CONFIG', cause);
    if (code === 'EISDIR') throw wrong('is a folder: name the file in it', cause);
    const large = `is over ${MAX_FILE / 1024} KB, too large for a configuration: many accounts are for "postern account add"`;
    throw wrong(code === 'EFBIG' ? large : `cannot be read (${code})`, cause);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch (cause) {
    throw wrong('is not UTF-8, as TOML must be', cause);
  }
}

type Issue = v.InferIssue<typeof schema>;

/** The shape is right by now: what is left is a value that does not fit, or one that is missing. */
function complaintOf(issue: Issue, places: Places): Complaint {
  const path = (issue.path ?? []).map((item) => item.key as string | number); // keys of objects and arrays
  const text = issue.kind === 'transformation' ? issue.message : 'is missing';
  return { place: places.of(path), text: `${nameOf(path)} ${text}` };
}

/** The settings under the names of config.ts. */
function configOf(settings: Settings, { places }: Document, cwd: string): Config {
  const { tls, queue, relay, dkim, tls_reports, limits, submission, sasl, oauth, imap, pop3, sendmail, test, log } =
    settings;
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
    listeners: settings.listener.map((listener, index) => ({
      role: listener.role,
      addresses: listener.address,
      port: listener.port,
      tls: listener.tls,
      cleartext: listener.cleartext,
      private: listener.private,
      earlyTalkerWait: listener.early_talker_wait,
      clients:
        listener.client_ca.length === 0
          ? null
          : { files: listener.client_ca.map(absolute), place: placeOf(['listener', index, 'client_ca']) },
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
    relay: relayOf(relay, absolute),
    dkim: {
      enabled: dkim.enabled,
      rsaSelector: dkim.rsa_selector,
      ed25519Selector: dkim.ed25519_selector,
    },
    tlsReports: {
      enabled: tls_reports.enabled,
      organization: tls_reports.organization ?? settings.domains[0] ?? settings.hostname,
      contact: tls_reports.contact ?? `postmaster@${settings.domains[0] ?? settings.hostname}`,
      address: tls_reports.address,
    },
    limits: {
      messageSize: limits.message_size,
      headerSize: limits.header_size,
      recipients: limits.recipients,
      connections: limits.connections,
      connectionsPerSource: limits.connections_per_source,
      literal: limits.literal,
      queueEntries: limits.queue_entries,
      diskFree: limits.disk_free,
    },
    submission: { showClient: submission.show_client, maxHold: submission.max_hold },
    sasl: { channelBinding: sasl.channel_binding },
    oauth: oauthOf(oauth, absolute),
    imap: { unauthenticate: imap.unauthenticate },
    pop3: {
      loginDelay: pop3.login_delay,
      expire: pop3.expire === undefined ? null : Math.floor(pop3.expire / DAY),
    },
    sendmail: {
      domain: sendmail.domain ?? null,
      folder: sendmail.folder === undefined ? null : absolute(sendmail.folder),
    },
    test: { catchAll: test.catch_all, anyPassword: test.any_password, exposed: test.exposed },
    log: { level: log.level },
  };
}
