// Where a message for a destination goes next (RFC 5321 §5.1): a fixed route, the smarthost, or the hosts that the DNS
// names, in the order in which they are to be tried. It asks and decides; it connects to nobody.

import { isIP } from 'node:net';
import type { RelayConfig, RouteConfig, RouteTls, SmarthostConfig } from '../config/config.ts';
import { type Dns, type DnsAnswer, DnsFailure, type MxRecord } from '../platform/dns.ts';
import { isPrivate, plainAddress } from '../platform/source.ts';
import type { Credentials } from '../smtp/client/authentication.ts';
import { deferred, failed, type Outcome } from '../smtp/client/outcome.ts';
import { credentialsOf } from './credentials.ts';
import type { ProtectionMemory } from './security/memory.ts';
import type { Policies } from './security/mta-sts.ts';
import type { ExchangeFacts } from './security/rung.ts';
import { type AddressFacts, tlsaOf } from './security/tlsa-lookup.ts';

/** One host and one of its addresses: what a connection is opened to. */
export interface NextHop {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tls: RouteTls;
  readonly credentials: Credentials | null;
  /** What is known of a host that the DNS has named, or an operator who leaves open how it is protected; null: the operator
   * has said that, too, or the address itself has named it. */
  readonly exchange: ExchangeFacts | null;
  /** The operator has named it. */
  readonly configured?: true;
}

/** `hosts`: at least one, best first. `none`: what that means for every recipient there. */
export type Route =
  | { readonly kind: 'hosts'; readonly hosts: readonly NextHop[] }
  | { readonly kind: 'none'; readonly outcome: Outcome };

export type Router = (destination: string) => Promise<Route>;

export interface RouterOptions {
  readonly dns: Dns;
  readonly policies: Pick<Policies, 'of'>;
  readonly memory: Pick<ProtectionMemory, 'of'>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly hostname: string;
  readonly relay: Pick<RelayConfig, 'smarthosts' | 'port' | 'loopback' | 'routes' | 'forbidDowngrade'>;
  /** Is this one of our own port 25? */
  readonly isOurs: (address: string, port: number) => boolean;
}

/** Hosts and addresses that are tried to connect to for one message. */
export const CONNECTS = 16;
/** MX hosts that are looked at, and addresses of each that are tried: RFC 5321 §5.1 asks for two at least. */
const LIMITS = { hosts: 12, addresses: 4, least: 2 } as const;

/** RFC 6761 §6.3: this name is known without the DNS. */
const LOCALHOST = ['127.0.0.1', '::1'];

/** Makes the function that finds routes. It never throws. */
export function createRouter(options: RouterOptions): Router {
  const { dns, relay } = options;
  const fixed = new Map(relay.routes.map((route) => [route.domain.toLowerCase(), fixedHosts(route)]));
  const smarthosts = relay.smarthosts.map(fixedHost);
  return async (destination) => {
    try {
      const route = fixed.get(destination) ?? smarthosts;
      if (route.length > 0) return await fixedRoute(options, route);
      if (destination.startsWith('[')) return literalRoute(options, destination);
      const { records, exists, secure, owner } = await dns.mx(destination);
      if (!exists) return none(failed('5.1.2', `the domain ${destination} does not exist`));
      const exchanges = records.filter(({ exchange }) => exchange !== '' && exchange !== '.');
      if (exchanges.length > 0) return await exchangeRoute(options, destination, exchanges, { secure, owner });
      // RFC 7505 §3: one record with the empty name.
      if (records.length > 0) return none(failed('5.1.10', `the domain ${destination} takes no mail (null MX)`));
      // RFC 5321 §5.1: without MX, the domain is its own exchange.
      return await exchangeRoute(options, destination, [{ preference: 0, exchange: destination }], { secure, owner });
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      return none(deferred('4.4.3', `the DNS has no answer for ${destination}: ${error.message}`));
    }
  };
}

/** A host that an operator has named, before the DNS was asked for its addresses. */
interface FixedHost extends Omit<NextHop, 'address' | 'name' | 'exchange'> {
  readonly host: string;
}

function fixedHosts(route: RouteConfig): readonly FixedHost[] {
  return 'smarthosts' in route ? route.smarthosts.map(fixedHost) : [fixedHost({ ...route, login: null })];
}

function fixedHost({ host, port, tls, login }: SmarthostConfig): FixedHost {
  return {
    host,
    port,
    tls,
    credentials: login === null ? null : credentialsOf(login),
    configured: true,
  };
}

/** The hosts in the operator's order. Whatever is wrong with them can be put right, so mail waits. */
async function fixedRoute(options: RouterOptions, hosts: readonly FixedHost[]): Promise<Route> {
  const found = await Promise.all(
    hosts.map(async ({ host: name, ...host }) => {
      const addresses = await addressesOf(options, name).catch((error: unknown) => {
        if (error instanceof DnsFailure) return error;
        throw error;
      });
      if (addresses instanceof DnsFailure) return addresses;
      const exchange = await saidByItself(options, { ...host, host: name }, addresses);
      return addresses.addresses.map((address) => ({ ...host, name, address, exchange }));
    }),
  );
  const hops = inTurn(found.flatMap((each) => (each instanceof DnsFailure ? [] : [each])));
  if (hops.length > 0) return { kind: 'hosts', hosts: hops };
  const names = hosts.map(({ host }) => host).join(', ');
  const failure = found.find((each) => each instanceof DnsFailure);
  if (failure !== undefined) return none(deferred('4.4.3', `the DNS has no answer for ${names}: ${failure.message}`));
  return none(deferred('4.4.4', `the configured host ${names} has no address`));
}

/** RFC 8461 §3.4, RFC 7672 §2.2.2: a host that an operator has named is a domain of its own. What it has published counts
 * where the operator leaves open how it is protected; what they say else is their word. */
async function saidByItself(
  { dns, policies, memory, relay }: RouterOptions,
  { host, port, tls }: FixedHost,
  found: AddressFacts,
): Promise<ExchangeFacts | null> {
  const domain = host.toLowerCase();
  if (tls !== 'opportunistic' || isIP(host) !== 0 || domain === 'localhost') return null;
  const [{ policy, failure: policyFailure, declared }, shown, tlsa] = await Promise.all([
    policies.of(domain),
    memory.of(domain),
    tlsaOf(dns, domain, port, true, found),
  ]);
  const { forbidDowngrade } = relay;
  return { domain, owner: domain, secure: true, tlsa, policy, policyFailure, declared, shown, forbidDowngrade };
}

/** An address literal names its host (RFC 5321 §4.1.3, §5.1). */
function literalRoute(options: RouterOptions, destination: string): Route {
  const address = plainAddress(destination.slice(1, -1).replace(/^ipv6:/i, ''));
  if (isIP(address) === 0) return none(failed('5.1.2', `${destination} is no address`));
  const hop = exchangeHop(options, address, address, null);
  if (options.isOurs(address, hop.port)) return none(loop(destination));
  if (!options.relay.loopback && isPrivate(address)) return none(inward(destination));
  return { kind: 'hosts', hosts: [hop] };
}

/** The exchanges by preference, equal ones at random, none that is not better than ourselves (RFC 5321 §5.1). */
async function exchangeRoute(
  options: RouterOptions,
  destination: string,
  records: readonly MxRecord[],
  { secure, owner }: AddressFacts,
): Promise<Route> {
  const ordered = shuffled(records, options.random).sort((one, other) => one.preference - other.preference);
  const known = Promise.all([options.policies.of(destination), options.memory.of(destination)]);
  const looking = Promise.all(
    ordered.slice(0, LIMITS.hosts).map(async ({ preference, exchange }) => ({
      preference,
      exchange,
      found: await addressesOf(options, exchange).catch((error: unknown) => {
        if (error instanceof DnsFailure) return error;
        throw error;
      }),
    })),
  );
  const [looked, [{ policy, failure: policyFailure, declared }, shown]] = await Promise.all([looking, known]);
  const { hostname, relay, isOurs } = options;
  let ours = Number.POSITIVE_INFINITY;
  for (const { preference, exchange, found } of looked) {
    const here = !(found instanceof DnsFailure) && found.addresses.some((address) => isOurs(address, relay.port));
    if (here || exchange === hostname.toLowerCase()) ours = Math.min(ours, preference);
  }
  const better = looked.filter(({ preference }) => preference < ours);
  if (better.length === 0) return none(loop(destination));

  const groups: NextHop[][] = [];
  let failure: DnsFailure | null = null;
  let refused = false;
  const { forbidDowngrade } = relay;
  const common = { domain: destination, owner, secure, policy, policyFailure, declared, shown, forbidDowngrade };
  const described = await Promise.all(
    better.map(async ({ exchange, found }) => {
      if (found instanceof DnsFailure) return found;
      const tlsa = await tlsaOf(options.dns, exchange, relay.port, secure, found);
      return {
        exchange,
        addresses: found.addresses,
        facts: { ...common, tlsa },
      };
    }),
  );
  for (const host of described) {
    if (host instanceof DnsFailure) {
      failure = host;
      continue;
    }
    const open = host.addresses.filter((address) => relay.loopback || !isPrivate(address));
    if (open.length < host.addresses.length) refused = true;
    groups.push(open.map((address) => exchangeHop(options, host.exchange, address, host.facts)));
  }
  const hosts = inTurn(groups);
  if (hosts.length > 0) return { kind: 'hosts', hosts };
  if (failure !== null) return none(deferred('4.4.3', `the DNS has no answer: ${failure.message}`));
  if (refused) return none(inward(destination));
  // RFC 5321 §5.1: MX records that lead nowhere are an error, and the domain's own address is no way round them.
  return none(failed('5.4.4', `the mail hosts of ${destination} have no address`));
}

/** The addresses of hosts, best first, no more of each than leave the last host its turn: the one that is alive may be the
 * last. Never less than two, of which one is mostly IPv4, for who has no IPv6. */
function inTurn(hosts: readonly (readonly NextHop[])[]): readonly NextHop[] {
  const triesWith = (most: number): number => hosts.reduce((sum, { length }) => sum + Math.min(length, most), 0);
  let most: number = LIMITS.addresses;
  while (most > LIMITS.least && triesWith(most) > CONNECTS) most--;
  return hosts.flatMap((addresses) => addresses.slice(0, most));
}

/** Addresses of a host, IPv6 and IPv4 by turns, each kind at random, and what DNSSEC says of them. @throws DnsFailure if
 * neither kind is known */
async function addressesOf(
  { dns, random }: RouterOptions,
  name: string,
): Promise<AddressFacts & { readonly addresses: readonly string[] }> {
  const insecure = { secure: false, owner: name };
  if (isIP(name) !== 0) return { ...insecure, addresses: [name] };
  if (name.toLowerCase() === 'localhost') return { ...insecure, addresses: [...LOCALHOST] };
  const looked = await Promise.allSettled([dns.ipv6(name), dns.ipv4(name)]);
  const known: DnsAnswer<string>[] = [];
  let broken: DnsFailure | null = null;
  for (const answer of looked) {
    if (answer.status === 'fulfilled') known.push(answer.value);
    else if (answer.reason instanceof DnsFailure) broken = answer.reason;
    else throw answer.reason;
  }
  const [first = [], second = []] = known.map(({ records }) => shuffled(records, random));
  const mixed: string[] = [];
  for (let at = 0; at < Math.max(first.length, second.length); at++) {
    for (const address of [first[at], second[at]]) if (address !== undefined) mixed.push(address);
  }
  if (mixed.length === 0 && broken !== null) throw broken;
  return {
    addresses: mixed.slice(0, LIMITS.addresses),
    secure: known.every((answer) => answer.secure),
    owner: known[0]?.owner ?? name,
  };
}

function exchangeHop({ relay }: RouterOptions, name: string, address: string, exchange: ExchangeFacts | null): NextHop {
  return { name, address, port: relay.port, tls: 'opportunistic', credentials: null, exchange };
}

function none(outcome: Outcome): Route {
  return { kind: 'none', outcome };
}

function loop(destination: string): Outcome {
  return failed('5.4.6', `the mail host of ${destination} is this server, which does not take its mail`);
}

function inward(destination: string): Outcome {
  return failed('5.4.4', `the mail hosts of ${destination} are no hosts of the public net`);
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let last = out.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    // Both stand within the array.
    [out[last], out[other]] = [out[other] as T, out[last] as T];
  }
  return out;
}
