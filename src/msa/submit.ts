// The Mail Submission Agent (RFC 6409): the Receiver of 465 and 587. It trusts the user it knows, refuses what they may
// not say, completes and signs their message, and hands it on: to local mailboxes and to the queue in one transaction.

import { type Account, AuthenticationFailure } from '../directory/directory.ts';
import { type Address, formatAddress, parseMailbox } from '../formats/address.ts';
import { formatDate } from '../formats/date.ts';
import { messageId as makeMessageId } from '../formats/message-id.ts';
import { Refusal } from '../formats/refusal.ts';
import type { ScramHash } from '../formats/scram.ts';
import type { ArrivedHeader } from '../mta/content.ts';
import { RecipientList } from '../mta/recipients.ts';
import { storeRefusal } from '../mta/store-refusal.ts';
import { type Incoming, type TakeoverOptions, takeOver } from '../mta/takeover.ts';
import { MessageNumbers, sessionReceived, zoneAt } from '../mta/transaction-facts.ts';
import type { CertificateVerdict, Claim, KeptVerifier } from '../sasl/mechanism.ts';
import type { Authentication, Identity, Receiver, SmtpSession } from '../smtp/receiver.ts';
import { completeHeader, headerFields } from './completion.ts';
import { sealOf } from './seal.ts';
import { authoriseHeader, authoriseReversePath } from './sender.ts';
import { SevenBitContent } from './seven-bit-content.ts';
import { refuseShortDomains, shortDomain } from './whole-domains.ts';

export interface MsaOptions extends TakeoverOptions {
  /** Does Received name the client and its address? */
  readonly showClient: boolean;
  /** Domains that have a route of their own, lower case. */
  readonly routed: ReadonlySet<string>;
  /** With `anyPassword` an identity proves nothing, so a sender's address is not held against it. */
  readonly test: { readonly anyPassword: boolean };
}

/** The Receiver of a `submission` listener. */
export function createMsa(options: MsaOptions): Receiver {
  const numbers = new MessageNumbers();
  return {
    authentication: {
      verifier: options.directory.checksPasswords
        ? (name, hash, session) => verifier(options, name, hash, session)
        : null,
      tokens: tokensOf(options),
      certified: (addresses, username) => certified(options, addresses, username),
      authenticate: (claim, session) => authenticate(options, claim, session),
    },
    async sender(reversePath, parameters, session) {
      const { directory } = options;
      // RFC 4954 §6; the listener asks first, but no message may pass on its word alone.
      if (session.identity === null) throw new Refusal(530, '5.7.0', 'Authentication required');
      const account = directory.account(session.identity.accountId);
      if (account === undefined)
        throw new Refusal(550, '5.7.1', 'This account is no more', 'account removed meanwhile');
      if (!options.test.anyPassword) authoriseReversePath(directory, account, reversePath);
      await options.room.message(parameters.size ?? 0);
      const messageId = numbers.next(session);
      const recipients = new RecipientList(directory, options.store, parameters.size);
      const submitter = {
        owns: (address: Address) => directory.owns(account, address),
        address: parseMailbox(account.address),
      };
      let sent: SevenBitContent | null = null;
      const submission: Incoming = {
        messageId,
        role: 'submission',
        session,
        reversePath,
        get parameters() {
          return sent === null ? parameters : sent.parameters;
        },
        recipients,
        header: (arrived, now) => submittedHeader(options, account, submission, arrived, now),
        seal: options.dkim === null ? null : sealOf(options.dkim, submitter, reversePath),
      };
      return {
        recipient: (address, rcpt) =>
          recipients.add(address, rcpt, () => shortDomain(options, address) ?? options.room.remote()),
        message(content) {
          // What stays here meets no hop that cannot have it.
          if (recipients.remotes.length === 0) return takeOver(options, submission, content);
          sent = new SevenBitContent(content, parameters, options.limits);
          return takeOver({ ...options, limits: sent.limits }, submission, sent);
        },
        // Nothing is held before the content.
        abandon() {},
      };
    },
  };
}

async function verifier(
  { directory, log }: MsaOptions,
  name: string,
  hash: ScramHash,
  { id, remoteAddress, localPort }: SmtpSession,
): Promise<KeptVerifier> {
  try {
    const kept = await directory.verifier(name, hash, remoteAddress);
    return {
      ...kept,
      confirm: () =>
        kept.confirm().catch((error: unknown) => {
          if (error instanceof AuthenticationFailure) {
            const { message: reason } = error;
            log.warn({ session: id, hop: 'MUA→MSA', remoteAddress, localPort, reason }, 'not authenticated');
          }
          throw refusalOf(error);
        }),
    };
  } catch (error) {
    throw refusalOf(error);
  }
}

async function certified(
  { directory }: MsaOptions,
  addresses: readonly string[],
  username: string | null,
): Promise<CertificateVerdict> {
  try {
    return await directory.certified(addresses, username);
  } catch (error) {
    throw refusalOf(error);
  }
}

function tokensOf({ directory, log }: MsaOptions): Authentication['tokens'] {
  const desk = directory.tokens;
  return (
    desk && {
      scope: desk.scope,
      configuration: desk.configuration,
      async check(token, username, { id, remoteAddress, localPort }) {
        try {
          const verdict = await desk.check(token, username, remoteAddress);
          if (verdict.kind === 'refused') {
            const { reason } = verdict;
            log.warn({ session: id, hop: 'MUA→MSA', remoteAddress, localPort, reason }, 'not authenticated');
          }
          return verdict;
        } catch (error) {
          throw refusalOf(error);
        }
      },
    }
  );
}

/** What is thrown instead of the directory's error: 535 for wrong credentials, 454 where nothing was decided. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof AuthenticationFailure)) return storeRefusal(error);
  return error.kind === 'busy'
    ? new Refusal(454, '4.7.0', 'Temporary authentication failure', error.message)
    : new Refusal(535, '5.7.8', 'Authentication credentials invalid', error.message);
}

/** RFC 4954 §6 */
async function authenticate({ directory, log }: MsaOptions, claim: Claim, session: SmtpSession): Promise<Identity> {
  const { id, remoteAddress, localPort } = session;
  try {
    const account = await directory.admit(claim, remoteAddress);
    const { mechanism } = claim;
    const facts = { session: id, hop: 'MUA→MSA', remoteAddress, localPort, account: account.address, mechanism };
    log.info(facts, 'authenticated');
    return { accountId: account.id, address: account.address, mechanism };
  } catch (error) {
    if (!(error instanceof AuthenticationFailure)) throw storeRefusal(error);
    // Without the name: who mistypes a field sends the password there.
    log.warn({ session: id, hop: 'MUA→MSA', remoteAddress, localPort, reason: error.message }, 'not authenticated');
    throw refusalOf(error);
  }
}

/** Judges the header that arrived and makes the one that is stored. @throws Refusal */
function submittedHeader(
  options: MsaOptions,
  account: Account,
  { messageId, session, reversePath, parameters, recipients }: Incoming,
  arrived: ArrivedHeader,
  now: number,
): Uint8Array {
  const { directory, hostname, showClient, test } = options;
  const fields = headerFields(arrived);
  if (!test.anyPassword) {
    authoriseHeader(directory, account, fields);
    refuseShortDomains(options, fields);
  }
  return completeHeader(arrived, {
    received: sessionReceived(session, {
      hostname,
      messageId,
      utf8: parameters.smtputf8 === true,
      recipient: recipients.only,
      priority: parameters.priority,
      now,
      showClient,
    }),
    date: `Date: ${formatDate(now, zoneAt(now))}\r\n`,
    // Unique over restarts by its time, over connections by its session's id.
    messageId: `Message-ID: ${makeMessageId(`${now.toString(36)}.${messageId}`, hostname)}\r\n`,
    from: `From: <${reversePath === null ? account.address : formatAddress(reversePath)}>\r\n`,
  });
}
