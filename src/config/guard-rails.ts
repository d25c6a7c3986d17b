// What must fit together, checked when the configuration is read: a mail port that is open the wrong way is worse than
// one that does not start. Each refusal says why. Also the warnings of what is allowed but unwise.

import { isLoopback } from '../platform/source.ts';
import type { AccountConfig, Config, ListenerConfig } from './config.ts';
import type { Complaint, Place } from './place.ts';
import type { Path } from './toml.ts';

/** Each listener is a socket and a table of its own; nobody has so many gates. */
const MAX_LISTENERS = 64;
const MAX_ADDRESSES = 32;
/** So many are asked (platform/resolver.ts). */
const MAX_RESOLVERS = 3;
const DOCKER_DNS = '127.0.0.11';

/** Everything that does not fit together. `at` gives the place of a path of the file. */
export function complaintsOf(config: Config, at: (path: Path) => Place): Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (path: Path, text: string) => complaints.push({ place: at(path), text });
  if (config.listeners.length === 0) {
    complain(['listener'], 'no [[listener]]: a server needs at least one, with role, port and tls');
  }
  if (config.listeners.length > MAX_LISTENERS) {
    complain(['listener', MAX_LISTENERS], `there can be at most ${MAX_LISTENERS} listeners`);
    return complaints;
  }
  for (const [index, listener] of config.listeners.entries()) {
    const path = ['listener', index];
    const wrong = wrongListener(listener);
    if (wrong !== null) complain([...path, wrong.key], wrong.text);
    const twin = config.listeners.slice(0, index).find((other) => collide(listener, other));
    if (twin !== undefined) {
      complain([...path, 'port'], `port ${listener.port} is taken by the ${twin.role} listener above`);
    }
  }
  if (config.relay.resolvers.length > MAX_RESOLVERS) {
    complain(['relay', 'resolver', MAX_RESOLVERS], `only ${MAX_RESOLVERS} resolvers are ever asked: remove the rest`);
  }
  wrongResolvers(config, complain);
  wrongAccounts(config, complain);
  if (config.domains.length === 0) complain(['domains'], 'domains must name at least one domain whose mail is ours');
  if (config.tls.certificates.length !== config.tls.keys.length) {
    complain(['tls', 'key'], 'tls.certificate and tls.key must name as many files, in the same order');
  }
  if (config.dkim.rsaSelector === config.dkim.ed25519Selector) {
    complain(
      ['dkim', 'ed25519_selector'],
      'dkim.ed25519_selector must not be dkim.rsa_selector: each key has a record of its own (RFC 8463 §3 makes two signatures)',
    );
  }
  wrongTlsReports(config, complain);
  if (config.limits.headerSize > config.limits.messageSize) {
    complain(['limits', 'header_size'], 'limits.header_size must not be over limits.message_size');
  }
  if (config.limits.diskFree < config.limits.messageSize) {
    complain(
      ['limits', 'disk_free'],
      'limits.disk_free must not be under limits.message_size: the last message that is taken must fit',
    );
  }
  const { folder } = config.sendmail;
  if (folder !== null && `${folder}/`.startsWith(`${config.data}/`)) {
    complain(
      ['sendmail', 'folder'],
      'sendmail.folder must not be in data, where nobody but the server may look: name one beside it',
    );
  }
  if (config.queue.warn > config.queue.expire) {
    complain(
      ['queue', 'warn'],
      'queue.warn must not be over queue.expire: a delay is reported before the message is given up',
    );
  }
  const open = config.listeners.find((listener) => !onLoopback(listener));
  if ((config.test.catchAll || config.test.anyPassword) && open !== undefined && !config.test.exposed) {
    complain(
      ['test', config.test.catchAll ? 'catch_all' : 'any_password'],
      `it takes mail or passwords from anybody, but port ${open.port} listens on ${open.addresses.map(bracketed).join(' and ')}: ` +
        'listen on 127.0.0.1 only, or say exposed = true in [test] if nobody else can reach it',
    );
  }
  return complaints;
}

/** An IPv6 address as it stands in a sentence with colons of its own. */
function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** What is allowed because the configuration asks for it, and is said at each start. */
export function warningsOf(config: Config): readonly string[] {
  const inClear = config.listeners.filter((listener) => listener.role !== 'transfer' && isOptional(listener));
  const warnings = inClear
    .filter((listener) => !onLoopback(listener))
    .map(
      ({ role, port, addresses }) =>
        `${role} on ${addresses.map(bracketed).join(' and ')} port ${port} takes passwords in clear (cleartext = true)`,
    );
  const { smarthosts, routes } = config.relay;
  const all = [...smarthosts, ...routes.flatMap((route) => ('smarthosts' in route ? route.smarthosts : []))];
  const unchecked = all.filter(({ tls }) => tls === 'required' || tls === 'implicit-unverified');
  for (const { host } of unchecked.filter(({ login }) => login !== null)) {
    warnings.push(`the certificate of the smarthost ${host} is not checked, and it gets a password`);
  }
  if (config.test.catchAll) warnings.push('[test] catch_all: every recipient is local and no mail leaves');
  if (config.test.anyPassword) warnings.push('[test] any_password: any password opens any account');
  return warnings;
}

function wrongListener(listener: ListenerConfig): { readonly key: string; readonly text: string } | null {
  const { role, tls } = listener;
  const local = onLoopback(listener);
  if (new Set(listener.addresses).size < listener.addresses.length) {
    return { key: 'address', text: 'address names an address twice' };
  }
  if (listener.addresses.length > MAX_ADDRESSES) {
    return { key: 'address', text: `address can have at most ${MAX_ADDRESSES} addresses` };
  }
  if (role === 'transfer') {
    if (tls === 'implicit') {
      return { key: 'tls', text: 'a transfer listener greets in clear (RFC 3207 §4): write tls = "offered"' };
    }
    if (tls !== 'offered' && !local && !listener.private) {
      const why = tls === 'required' ? 'a public MX must not demand TLS (RFC 3207 §4)' : 'a public MX should offer TLS';
      return { key: 'tls', text: `${why}: write tls = "offered", or private = true if this is no public MX` };
    }
    if (listener.cleartext)
      return { key: 'cleartext', text: 'cleartext is for listeners with passwords; transfer has none' };
    if (listener.clients)
      return { key: 'client_ca', text: 'client_ca is for listeners where users log in: remove it here' };
    return null;
  }
  if (listener.clients && tls === 'none') {
    return {
      key: 'client_ca',
      text: 'client_ca needs TLS, in which certificates are shown: write tls = "implicit" or "required"',
    };
  }
  if (listener.private) return { key: 'private', text: 'private is for transfer listeners only' };
  if (listener.earlyTalkerWait > 0)
    return { key: 'early_talker_wait', text: 'early_talker_wait is for transfer listeners only' };
  if (isOptional(listener) && !local && !listener.cleartext) {
    return {
      key: 'tls',
      text:
        `passwords would cross the net in clear (RFC 8314 §3): write tls = "implicit" or "required", ` +
        'listen on 127.0.0.1 only, or say cleartext = true if you must',
    };
  }
  return null;
}

/** RFC 8460 §3: a report is signed by the domain that it comes from; what is not ours we neither sign nor receive. */
function wrongTlsReports({ domains, tlsReports }: Config, complain: (path: Path, text: string) => void): void {
  const { contact, address } = tlsReports;
  const from = contact.slice(contact.lastIndexOf('@') + 1);
  if (domains.length > 0 && !domains.includes(from)) {
    complain(['tls_reports', 'contact'], `${contact} is not in one of our domains, so reports cannot be signed for it`);
  }
  // RFC 8460 §4.4: an addr-spec of RFC 5322, which is ASCII, as is the mail that it sends.
  if (/[^ -~]/.test(contact)) {
    complain(['tls_reports', 'contact'], `${contact} must be ASCII: reports go to servers that know nothing else`);
  }
  if (address.domain !== null && !domains.includes(address.domain)) {
    complain(
      ['tls_reports', 'address'],
      `${address.domain} is none of our domains: write only what is in front of "@"`,
    );
  }
}

/** Trust in a resolver is what DANE rests on (RFC 7672 §2.1). */
function wrongResolvers({ relay: { resolvers } }: Config, complain: (path: Path, text: string) => void): void {
  const validating = resolvers.some(({ trusted }) => trusted);
  for (const [index, { address, trusted }] of resolvers.entries()) {
    if (trusted && address === DOCKER_DNS) {
      complain(
        ['relay', 'resolver', index, 'trusted'],
        `${DOCKER_DNS} is Docker's own, which does not validate DNSSEC: name a validating resolver, or remove trusted`,
      );
    } else if (validating && !trusted) {
      complain(
        ['relay', 'resolver', index],
        'this resolver is not trusted, and beside one that is it would never be asked: remove it, or say trusted = true',
      );
    }
  }
}

function wrongAccounts(config: Config, complain: (path: Path, text: string) => void): void {
  const owners = new Map<string, string>();
  for (const [index, account] of config.accounts.entries()) {
    const path = ['account', index];
    if (account.password !== null && account.passwordHash !== null) {
      complain([...path, 'password'], 'this account has password and password_hash: write one of them');
    }
    for (const { text, key } of addressesOf(account)) {
      const domain = text.slice(text.lastIndexOf('@') + 1);
      if (!config.domains.includes(domain) && !config.test.catchAll) {
        complain([...path, key], `${text} is not in one of our domains: add "${domain}" to domains`);
      }
      // As the directory compares.
      const one = text.normalize('NFC').toLowerCase();
      const owner = owners.get(one);
      if (owner !== undefined) complain([...path, key], `${text} already belongs to ${owner}`);
      owners.set(one, account.address);
    }
  }
}

function addressesOf(account: AccountConfig): readonly { readonly text: string; readonly key: string }[] {
  return [{ text: account.address, key: 'address' }, ...account.aliases.map((text) => ({ text, key: 'aliases' }))];
}

/** TLS is up to the client, or there is none. */
function isOptional({ tls }: ListenerConfig): boolean {
  return tls === 'offered' || tls === 'none';
}

function onLoopback({ addresses }: ListenerConfig): boolean {
  return addresses.every(isLoopback);
}

/** Would both bind the same address and port? */
function collide(one: ListenerConfig, other: ListenerConfig): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  return one.addresses.some((a) => other.addresses.some((b) => a === b || covers(one, a, b) || covers(other, b, a)));
}

/** Is `address` among those that `all`, of this listener, stands for? `::` takes IPv4 too, unless it has one beside it
 * (platform/bind.ts). */
function covers({ addresses }: ListenerConfig, all: string, address: string): boolean {
  if (all === '0.0.0.0') return !address.includes(':');
  return all === '::' && (address.includes(':') || addresses.every((each) => each.includes(':')));
}
