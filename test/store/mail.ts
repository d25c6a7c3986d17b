// Messages and commands for tests of the store.

import type { Accept, Delivery, Dispatch } from '../../src/store/commands.ts';
import { bodyFacts } from '../../src/store/facts.ts';
import type { AccountId, BodyId, MailboxId, MailboxRow, Uid } from '../../src/store/rows.ts';
import type { Store } from '../../src/store/store.ts';

const NO_OCTETS = new Uint8Array(0);

export function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** A small message; `header` adds lines. */
export function letter(subject: string, header = '', body = 'Hello.\r\n'): Uint8Array {
  return octets(`Subject: ${subject}\r\n${header}\r\n${body}`);
}

export async function account(store: Store, address = 'alice@example.test', quota: number | null = null) {
  const made = await store.execute({
    kind: 'put-account',
    address,
    aliases: [],
    quota,
    password: null,
    seeded: false,
    existing: 'fail',
  });
  return made.account;
}

export async function mailboxOf(store: Store, owner: AccountId, name = 'INBOX'): Promise<MailboxRow> {
  const row = await store.read.mailboxByName(owner, name);
  if (row === undefined) throw new Error(`There is no ${name}`);
  return row;
}

export async function stage(store: Store, ...chunks: Uint8Array[]) {
  const staging = store.stage();
  for (const chunk of chunks) await staging.write(chunk);
  return staging.finish();
}

export function delivery(to: AccountId, more: Partial<Delivery> = {}): Delivery {
  return { account: to, mailbox: 'INBOX', prefix: NO_OCTETS, flags: 0, keywords: [], internalDate: 0, ...more };
}

export async function acceptance(
  store: Store,
  content: Uint8Array,
  deliveries: readonly Delivery[],
  dispatch: Dispatch | null = null,
): Promise<Accept> {
  const body = await stage(store, content);
  return { kind: 'accept', body, facts: bodyFacts(content), messageId: 'test', now: 1_000, deliveries, dispatch };
}

export async function deliver(store: Store, to: AccountId, content: Uint8Array, more: Partial<Delivery> = {}) {
  const { placed } = await store.execute(await acceptance(store, content, [delivery(to, more)]));
  const [first] = placed;
  if (first === undefined) throw new Error('Nothing was placed');
  return first;
}

/** All octets of a body. */
export async function bodyOctets(store: Store, body: BodyId, size: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < size; ) {
    const part = await store.read.body(body, at, 1_048_576);
    if (part.length === 0) break;
    parts.push(part);
    at += part.length;
  }
  return new Uint8Array(Buffer.concat(parts));
}

export async function flag(
  store: Store,
  mailbox: MailboxId,
  uids: readonly Uid[],
  flags: number,
  keywords: readonly string[] = [],
) {
  return await store.execute({
    kind: 'flags',
    mailbox,
    uids,
    mode: 'add',
    flags,
    keywords,
    unchangedSince: null,
    view: null,
  });
}

/** A dispatch to these recipients, due at once. */
export function dispatchTo(...recipients: readonly `${string}@${string}`[]): Dispatch {
  return {
    prefix: NO_OCTETS,
    reversePath: { localPart: 'alice', domain: 'example.test' },
    parameters: { body: '8BITMIME', ret: 'HDRS', envid: 'id 1' },
    origin: { role: 'submission', session: 's', remoteAddress: '::1', localPort: 587, account: null, tls: null },
    entries: recipients.map((recipient) => {
      const [localPart = '', domain = ''] = recipient.split('@');
      return {
        recipient: { localPart, domain },
        parameters: { notify: ['failure', 'delay'], orcpt: `rfc822;${recipient}` },
        destination: domain,
        nextAt: 1_000,
        expiresAt: 100_000,
        warnAt: 50_000,
      };
    }),
  };
}
