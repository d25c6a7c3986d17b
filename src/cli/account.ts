// The verb `account`: who has a mailbox here. Accounts that the configuration file seeds are the file's to change.

import * as v from 'valibot';
import type { Config } from '../config/config.ts';
import { placeText } from '../config/place.ts';
import { size } from '../config/values.ts';
import { comparable } from '../directory/address-book.ts';
import { isUsablePassword, makePassword } from '../directory/password.ts';
import { type Address, formatAddress, parseMailbox } from '../formats/address.ts';
import { type AccountSummary, administer, type Inspection, inspect } from './administration.ts';
import { inColumns, octets } from './columns.ts';
import { type Context, configOf, EXIT, Failure, say, sayJson } from './context.ts';
import { askPassword } from './password.ts';

export interface AddOptions {
  readonly alias?: readonly string[];
  readonly quota?: string;
}

export interface ChangeOptions extends AddOptions {
  /** Aliases of other accounts. */
  readonly take?: readonly string[];
  readonly drop?: readonly string[];
}

const MAX_QUOTA = 1024 ** 4;

export async function add(context: Context, name: string, { alias = [], quota }: AddOptions): Promise<number> {
  const config = await configOf(context);
  const address = localAddress(config, name);
  const aliases = alias.map((each) => localAddress(config, each));
  const limit = quota === undefined ? null : quotaOf(quota);
  const password = await newPassword(context, address);
  await administer(config, 'make', (store) =>
    store
      .execute<'put-account'>({
        kind: 'put-account',
        address,
        aliases,
        quota: limit,
        password,
        seeded: false,
        existing: 'fail',
      })
      .catch(inWords({ exists: `${[address, ...aliases].join(' or ')} is taken: see "postern account list"` })),
  );
  say(context, `${address} can log in now`);
  return EXIT.done;
}

export async function list(context: Context, { json }: { readonly json?: boolean }): Promise<number> {
  const accounts = await inspect(await configOf(context), (store) => store.accounts());
  if (json === true) {
    sayJson(context, accounts);
    return EXIT.done;
  }
  const rows = accounts.map(({ address, aliases, usedMessages, usedOctets, quota, seeded }) => [
    address,
    aliases.join(' '),
    String(usedMessages),
    octets(usedOctets),
    quota === null ? '-' : octets(quota),
    seeded ? 'configuration' : 'account add',
  ]);
  say(context, inColumns(['ADDRESS', 'ALIASES', 'MESSAGES', 'SIZE', 'QUOTA', 'MADE BY'], rows));
  return EXIT.done;
}

export async function passwd(context: Context, name: string): Promise<number> {
  const config = await configOf(context);
  const { address } = await inspect(config, (store) => changeable(config, store, name));
  // Nobody keeps the store from a server, or from another verb, for as long as a person types.
  const password = await newPassword(context, address);
  await administer(config, 'existing', async (store) => {
    const account = await changeable(config, store, address);
    await store.execute<'set-password'>({ kind: 'set-password', account: account.id, password });
  });
  say(context, `${address} has a new password; connections that are open live on`);
  return EXIT.done;
}

/** @param options what is to be another way; what is not named stays */
export async function change(context: Context, name: string, options: ChangeOptions): Promise<number> {
  const config = await configOf(context);
  const { alias = [], take = [], drop = [] } = options;
  const [added, taken, dropped] = [
    alias.map((each) => localAddress(config, each)),
    take.map((each) => localAddress(config, each)),
    drop.map((each) => comparable(formatAddress(mailboxOf(each)))),
  ];
  if (options.quota === undefined && added.length + taken.length + dropped.length === 0) {
    throw new Failure('say what to change: --alias, --take, --drop or --quota', EXIT.usage);
  }
  const limit = options.quota === undefined || options.quota === 'none' ? null : quotaOf(options.quota);
  const changed = await administer(config, 'existing', async (store) => {
    const account = await changeable(config, store, name);
    for (const each of dropped) {
      const own = account.aliases.find((one) => comparable(one) === each);
      if (own === undefined) throw new Failure(`${each} is no alias of ${account.address}`);
      requireNoPostmaster(config, [own]);
    }
    for (const each of taken) {
      const holder = await changeable(config, store, each);
      if (comparable(holder.address) === comparable(each)) {
        throw new Failure(`${each} is an account of its own, not an alias: "postern account remove" would free it`);
      }
    }
    const kept = account.aliases.filter((one) => !dropped.includes(comparable(one)));
    const aliases = [...kept, ...added, ...taken].filter(isFirst);
    const quota = options.quota === undefined ? account.quota : limit;
    await store
      .execute<'change-account'>({ kind: 'change-account', account: account.id, aliases, taken, quota })
      .catch(inWords({ exists: `${added.join(' or ')} is taken: see "postern account list", and --take` }));
    return { ...account, aliases, quota };
  });
  const has = changed.aliases.length === 0 ? 'no aliases' : `the aliases ${changed.aliases.join(' ')}`;
  const most = changed.quota === null ? 'no quota' : `a quota of ${octets(changed.quota)}`;
  say(context, `${changed.address} has ${has} and ${most} now`);
  return EXIT.done;
}

export async function remove(context: Context, name: string): Promise<number> {
  const config = await configOf(context);
  const gone = await administer(config, 'existing', async (store) => {
    const account = await changeable(config, store, name);
    if (comparable(formatAddress(mailboxOf(name))) !== comparable(account.address)) {
      // Who names an alias may mean that alone, and not all the mail behind it.
      throw new Failure(`${name} is an alias of ${account.address}: name that, to remove it with all its mail`);
    }
    requireNoPostmaster(config, [account.address, ...account.aliases]);
    await store.execute<'remove-account'>({ kind: 'remove-account', account: account.id });
    return account;
  });
  say(context, `${gone.address} is gone, with ${gone.usedMessages} messages`);
  return EXIT.done;
}

function isFirst(address: string, at: number, all: readonly string[]): boolean {
  return all.findIndex((each) => comparable(each) === comparable(address)) === at;
}

/** @throws Failure if one of these addresses is that of a domain's postmaster */
function requireNoPostmaster(config: Config, addresses: readonly string[]): void {
  const kept = addresses.find((each) => config.domains.some((domain) => each.toLowerCase() === `postmaster@${domain}`));
  if (kept === undefined) return;
  throw new Failure(
    `${kept} must lead to somebody (RFC 5321 §4.5.1): give it to another account first, by "account change" and --take`,
  );
}

async function newPassword(context: Context, address: string) {
  const password = await askPassword(context, `New password for ${address}`);
  if (!isUsablePassword(password)) throw new Failure('a password has 1 to 1024 octets and no NUL', EXIT.usage);
  return makePassword(password);
}

/** The account of an address or alias, if verbs may change it. @throws Failure */
async function changeable(config: Config, store: Inspection, name: string): Promise<AccountSummary> {
  const address = comparable(formatAddress(mailboxOf(name)));
  const accounts = await store.accounts();
  const account = accounts.find((each) => [each.address, ...each.aliases].some((own) => comparable(own) === address));
  if (account === undefined) throw new Failure(`there is no account ${name}: see "postern account list"`);
  if (account.seeded) {
    const written = config.accounts.find((each) => comparable(each.address) === comparable(account.address));
    const where = written?.place ? placeText(written.place) : 'the configuration';
    throw new Failure(`${account.address} is written in ${where}: change it there, then send the server SIGHUP`);
  }
  return account;
}

function localAddress(config: Config, name: string): string {
  const address = mailboxOf(name);
  // It would be taken for all addresses of a domain, and get the mail of none.
  if (address.localPart === '*') throw new Failure(`${name}: "*" stands for nobody but itself`, EXIT.usage);
  if (!config.domains.includes(address.domain) && !config.test.catchAll) {
    throw new Failure(
      `${address.domain} is no domain of ours (domains = ${JSON.stringify(config.domains)})`,
      EXIT.usage,
    );
  }
  return formatAddress(address);
}

function mailboxOf(name: string): Address {
  const address = parseMailbox(name);
  if (address === null) throw new Failure(`"${name}" is no address like carol@example.org`, EXIT.usage);
  return address;
}

function quotaOf(text: string): number {
  const parsed = v.safeParse(size(1, MAX_QUOTA), text);
  if (parsed.success) return parsed.output;
  throw new Failure(`--quota ${text}: write a size such as "500MB" or "2GB"`, EXIT.usage);
}

/** Puts a store's refusal into a verb's words, by its kind. */
function inWords(words: Readonly<Record<string, string>>): (error: unknown) => never {
  return (error) => {
    const kind = error instanceof Error && 'kind' in error ? String(error.kind) : '';
    throw words[kind] === undefined ? error : new Failure(words[kind]);
  };
}
