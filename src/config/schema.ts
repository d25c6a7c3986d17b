// Every setting that the configuration can have: its name, kind, bounds and default. Other keys are refused by shape.ts;
// what must fit together stands in guard-rails.ts; the names that the rest of Postern uses, in config.ts.

import * as v from 'valibot';
import { hostPattern, smarthosts } from './smarthost.ts';
import * as value from './values.ts';

const MEBI = 1024 ** 2;
const GIBI = 1024 ** 3;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

const listener = v.object({
  role: value.oneOf('transfer', 'submission', 'imap', 'pop3'),
  address: v.optional(value.ipAddresses(), '127.0.0.1'),
  /** 0: any free port. */
  port: value.integer(0, 65_535),
  tls: value.oneOf('offered', 'required', 'implicit', 'none'),
  /** Allows passwords in clear off loopback. */
  cleartext: v.optional(value.boolean(), false),
  /** A transfer listener that is not a public MX: may demand TLS, or have none. */
  private: v.optional(value.boolean(), false),
  /** How long to wait for a client that talks before it is greeted; for transfer. RFC 5321 §4.5.3.2.1: clients wait
   * five minutes for the greeting. */
  early_talker_wait: v.optional(value.duration(0, 2 * MINUTE), '0s'),
  /** Authorities whose certificates users may log in by (EXTERNAL, RFC 4422 appendix A); none: nobody is asked for one. */
  client_ca: v.optional(value.files(), []),
});

const account = v.object({
  address: value.mailbox(),
  password: v.optional(value.password()),
  password_hash: v.optional(value.passwordHash()),
  aliases: v.optional(value.mailboxes(), []),
  /** Absent: no limit. */
  quota: v.optional(value.size(1, 1024 * GIBI)),
});

const resolver = v.object({
  address: value.resolverAddress(),
  trusted: v.optional(value.boolean(), false),
});

/** One of host and smarthost; port and tls go with host (config/relay.ts). */
const route = v.object({
  domain: value.domain(),
  host: v.optional(value.host()),
  /** Absent: 25. */
  port: v.optional(value.integer(1, 65_535)),
  /** Absent: opportunistic. */
  tls: v.optional(value.oneOf('opportunistic', 'required', 'verified', 'implicit', 'implicit-unverified', 'none')),
  smarthost: v.optional(smarthosts()),
});

/** One of the four secrets. */
const credentials = v.object({
  host: hostPattern(),
  user: value.user(),
  password: v.optional(value.password()),
  password_file: v.optional(value.text('the path of a file')),
  token_file: v.optional(value.text('the path of a file')),
  token_command: v.optional(value.command()),
  /** Absent: the best that the smarthost offers. */
  mechanism: v.optional(value.oneOf('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'XOAUTH2')),
});

const tls = v.object({
  folder: v.optional(value.text('the path of a folder'), 'certs'),
  /** Absent: a local authority issues them. */
  certificate: v.optional(value.files(), []),
  key: v.optional(value.files(), []),
});

const queue = v.object({
  /** RFC 5321 §4.5.4.1 suggests 30 minutes and more; the first tries are closer, for greylisting. */
  retry: v.optional(value.durations(SECOND, 30 * DAY), ['5m', '15m', '30m', '1h', '2h', '4h']),
  /** RFC 5321 §4.5.4.1: at least four to five days. */
  expire: v.optional(value.duration(SECOND, 365 * DAY), '5d'),
  warn: v.optional(value.duration(SECOND, 365 * DAY), '4h'),
});

const relay = v.object({
  /** Absent: MX records. */
  smarthost: v.optional(smarthosts(), []),
  credentials: v.optional(v.array(credentials), []),
  ca: v.optional(value.files(), []),
  port: v.optional(value.integer(1, 65_535), 25),
  loopback: v.optional(value.boolean(), false),
  /** A destination that is less protected than before has to wait; otherwise it is only told of. */
  forbid_downgrade: v.optional(value.boolean(), false),
  /** Absent: those of the system. */
  resolver: v.optional(v.array(resolver), []),
  route: v.optional(v.array(route), []),
  /** Connections to one destination, and in all; those that wait for a slow host are not counted. */
  per_destination: v.optional(value.integer(1, 1_000), 10),
  concurrency: v.optional(value.integer(1, 10_000), 50),
});

const dkim = v.object({
  enabled: v.optional(value.boolean(), true),
  rsa_selector: v.optional(value.selector(), 'postern-rsa'),
  ed25519_selector: v.optional(value.selector(), 'postern-ed'),
});

const tlsReports = v.object({
  enabled: v.optional(value.boolean(), true),
  /** Absent: our first domain. */
  organization: v.optional(value.text('the name of who reports')),
  /** Absent: the postmaster of our first domain. */
  contact: v.optional(value.mailbox()),
  address: v.optional(value.mailboxOrLocalPart(), 'tls-reports'),
});

const limits = v.object({
  /** RFC 5321 §4.5.3.1.7 asks for 64K at least. More than the most would not fit what the store stages for one session. */
  message_size: v.optional(value.size(64 * 1024, 256 * MEBI), '50MB'),
  header_size: v.optional(value.size(16 * 1024, 16 * MEBI), '512KB'),
  /** RFC 5321 §4.5.3.1.8: at least 100. */
  recipients: v.optional(value.integer(100, 100_000), 1_000),
  /** Of one listener. */
  connections: v.optional(value.integer(1, 100_000), 2_000),
  /** Of one listener; a source is an IPv4 address or an IPv6 /64. */
  connections_per_source: v.optional(value.integer(1, 100_000), 100),
  /** Of all string literals of one IMAP command, which sit in memory; APPEND has message_size. */
  literal: v.optional(value.size(8 * 1024, MEBI), '64KB'),
  /** Recipients elsewhere for whom mail waits; more are asked to come back (452 4.3.1). */
  queue_entries: v.optional(value.integer(100, 100_000_000), 500_000),
  /** Of the disk; with less, no mail is taken (452 4.3.1). Of a small disk it is a quarter. */
  disk_free: v.optional(value.size(16 * MEBI, 1024 * GIBI), '256MB'),
});

const submission = v.object({
  /** Does Received: name the address of the user's own machine? */
  show_client: v.optional(value.boolean(), true),
  /** How long a user may have a message held before it is sent (RFC 4865: 9 digits of seconds at most); 0s: not at all. */
  max_hold: v.optional(value.duration(0, 365 * DAY), '30d'),
});

const sasl = v.object({
  /** SCRAM bound to its connection (RFC 5802 §6). GNU SASL of Debian 12 picks it wherever it is offered, has nothing to bind
   * to under TLS 1.3, and tries nothing else: NeoMutt and others with it cannot log in then. */
  channel_binding: v.optional(value.boolean(), false),
});

/** What goes together stands in config/oauth.ts. */
const oauth = v.object({
  /** Absent: no tokens are taken. */
  issuer: v.optional(value.webAddress()),
  /** One of both: the issuer's keys (RFC 7517), or where it is asked (RFC 7662). */
  jwks: v.optional(value.webAddress()),
  introspection: v.optional(value.webAddress()),
  client_id: v.optional(value.user()),
  client_secret: v.optional(value.password()),
  client_secret_file: v.optional(value.text('the path of a file')),
  audience: v.optional(value.text('what the aud of tokens says')),
  claim: v.optional(value.text('the name of a claim such as "email"'), 'email'),
  /** Absent: any token for us will do. */
  scope: v.optional(value.scope()),
  ca: v.optional(value.files(), []),
});

const imap = v.object({
  /** Can a connection be given to another user (UNAUTHENTICATE)? RFC 8437 §8: not through a proxy that only looks at logins. */
  unauthenticate: v.optional(value.boolean(), true),
});

const pop3 = v.object({
  /** From one login of an account to the next (LOGIN-DELAY, RFC 2449 §6.5); 0s: any time. */
  login_delay: v.optional(value.duration(0, DAY), '0s'),
  /** How long mail is left in the mailboxes at least, where something deletes it (EXPIRE, RFC 2449 §6.7). It is told to
   * clients; nothing is deleted by it. Absent: for ever. */
  expire: v.optional(value.duration(DAY, 36_500 * DAY)),
});

const sendmail = v.object({
  /** Absent: the host's name where it is one of our domains, else the first of them. */
  domain: v.optional(value.domain()),
  /** Absent: data/spool, for the server's own user and root. */
  folder: v.optional(value.text('the path of a folder')),
});

const test = v.object({
  catch_all: v.optional(value.boolean(), false),
  any_password: v.optional(value.boolean(), false),
  exposed: v.optional(value.boolean(), false),
});

const log = v.object({
  level: v.optional(value.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), 'info'),
});

export const schema = v.object({
  hostname: value.hostname(),
  domains: value.domains(),
  data: v.optional(value.text('the path of a folder'), 'data'),
  tls: v.optional(tls, {}),
  listener: v.optional(v.array(listener), []),
  account: v.optional(v.array(account), []),
  queue: v.optional(queue, {}),
  relay: v.optional(relay, {}),
  dkim: v.optional(dkim, {}),
  tls_reports: v.optional(tlsReports, {}),
  limits: v.optional(limits, {}),
  submission: v.optional(submission, {}),
  sasl: v.optional(sasl, {}),
  oauth: v.optional(oauth, {}),
  imap: v.optional(imap, {}),
  pop3: v.optional(pop3, {}),
  sendmail: v.optional(sendmail, {}),
  test: v.optional(test, {}),
  log: v.optional(log, {}),
});

/** What the file says, read and with its defaults. */
export type Settings = v.InferOutput<typeof schema>;
