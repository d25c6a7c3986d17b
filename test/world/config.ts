// The configuration of the world's two servers: every gate on a free port, two accounts each, nothing bounded tightly.

import { join } from 'node:path';
import type { AccountConfig, Config, ListenerConfig } from '../../src/config/config.ts';
import type { Role, TlsMode } from '../../src/platform/listener.ts';

export const PASSWORD = 'wonderland';

/** The seven gates by the port numbers that they have in the world outside. */
export type Gate = 25 | 465 | 587 | 993 | 143 | 995 | 110;

export const gates: Readonly<Record<Gate, { readonly role: Role; readonly tls: TlsMode }>> = {
  25: { role: 'transfer', tls: 'offered' },
  465: { role: 'submission', tls: 'implicit' },
  587: { role: 'submission', tls: 'required' },
  993: { role: 'imap', tls: 'implicit' },
  143: { role: 'imap', tls: 'required' },
  995: { role: 'pop3', tls: 'implicit' },
  110: { role: 'pop3', tls: 'required' },
};

/** @param wayOut port of every MX host */
export function configOf(name: 'here' | 'there', folder: string, wayOut: number): Config {
  const domain = name === 'here' ? 'example.test' : 'other.test';
  const [first = '', ...others] = name === 'here' ? ['alice', 'bob'] : ['carol', 'dave'];
  const account = (user: string, aliases: readonly string[]): AccountConfig => ({
    address: `${user}@${domain}`,
    aliases,
    password: PASSWORD,
    passwordHash: null,
    quota: null,
    place: null,
  });
  const listener = ({ role, tls }: { role: Role; tls: TlsMode }): ListenerConfig => ({
    role,
    tls,
    addresses: ['127.0.0.1'],
    port: 0,
    cleartext: false,
    private: false,
    earlyTalkerWait: 0,
    clients: null,
  });
  const minute = 60_000;
  return {
    hostname: `mail.${domain}`,
    domains: [domain],
    data: join(folder, 'data'),
    tls: { folder: join(folder, 'certs'), certificates: [], keys: [] },
    listeners: Object.values(gates).map(listener),
    accounts: [account(first, [`postmaster@${domain}`]), ...others.map((user) => account(user, []))],
    queue: { retry: [5 * minute, 15 * minute, 30 * minute], expire: 5 * 24 * 60 * minute, warn: 4 * 60 * minute },
    relay: {
      smarthosts: [],
      authorities: [],
      port: wayOut,
      loopback: true,
      forbidDowngrade: false,
      resolvers: [],
      routes: [],
      perDestination: 2,
      concurrency: 20,
    },
    // A world that is about signatures switches them on: an RSA key for each would take its time.
    dkim: { enabled: false, rsaSelector: 'postern-rsa', ed25519Selector: 'postern-ed' },
    tlsReports: {
      enabled: true,
      organization: `The ${domain} people`,
      contact: `postmaster@${domain}`,
      address: { localPart: 'tls-reports', domain: null },
    },
    limits: {
      messageSize: 50 * 1024 * 1024,
      headerSize: 256 * 1024,
      recipients: 100,
      connections: 1000,
      connectionsPerSource: 1000,
      literal: 50 * 1024 * 1024,
      queueEntries: 1_000_000,
      diskFree: 16 * 1024 * 1024,
    },
    submission: { showClient: true, maxHold: 30 * 24 * 60 * minute },
    sasl: { channelBinding: false },
    oauth: null,
    imap: { unauthenticate: true },
    pop3: { loginDelay: 0, expire: null },
    sendmail: { domain: null, folder: null },
    test: { catchAll: false, anyPassword: false, exposed: false },
    log: { level: 'debug' },
  };
}
