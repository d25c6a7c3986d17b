// The Mail Submission Agent (RFC 6409): the Receiver of 465 and 587. It trusts the user it knows, refuses what they may
// not say, completes their message, and hands it on: to local mailboxes and to the queue in one transaction.

import { type Account, AuthenticationFailure, type Directory } from '../directory/directory.ts';
import { type Address, formatAddress, type ReversePath } from '../formats/address.ts';
import { formatDate } from '../formats/date.ts';
import type { MailParameters, RcptParameters } from '../formats/envelope.ts';
import { messageId } from '../formats/message-id.ts';
import { Refusal, type Reply } from '../formats/refusal.ts';
import { refuseDeliveryLoop } from '../mda/deliver.ts';
import { accept, type QueueTimes } from '../mta/accept.ts';
import { type ArrivedHeader, type ContentLimits, stageContent } from '../mta/content.ts';
import { RecipientList } from '../mta/recipients.ts';
import { storeRefusal } from '../mta/store-refusal.ts';
import { MessageNumbers, sessionOrigin, sessionReceived, zoneAt } from '../mta/transaction-facts.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Credentials, Identity, Receiver, SmtpSession, Transaction } from '../smtp/receiver.ts';
import type { Store } from '../store/store.ts';
import { completeHeader, headerFields } from './completion.ts';
import { authoriseHeader, authoriseReversePath } from './sender.ts';

export interface MsaOptions {
  readonly store: Pick<Store, 'execute' | 'read' | 'stage'>;
  readonly directory: Directory;
  readonly hostname: string;
  readonly limits: ContentLimits;
  readonly queue: QueueTimes;
  /** Does Received name the client and its address (RFC 6409 says nothing of it; some hold it for a leak)? */
  readonly showClient: boolean;
  /** With `anyPassword` an identity proves nothing, so a sender's address is not held against it. */
  readonly test: { readonly anyPassword: boolean };
  readonly clock: Clock;
  readonly log: Log;
}

/** The Receiver of a `submission` listener. */
export function createMsa(options: MsaOptions): Receiver {
  const numbers = new MessageNumbers();
  return {
    authenticate: (credentials, session) => authenticate(options, credentials, session),
    async sender(reversePath, parameters, session) {
      const { directory } = options;
      // RFC 4954 §6; the listener asks first, but no message may pass on its word alone.
      if (session.identity === null) throw new Refusal(530, '5.7.0', 'Authentication required');
      const account = directory.account(session.identity.accountId);
      if (account === undefined)
        throw new Refusal(550, '5.7.1', 'This account is no more', 'account removed meanwhile');
      if (!options.test.anyPassword) authoriseReversePath(directory, account, reversePath);
      return new Submission(options, numbers.next(session), account, reversePath, parameters, session);
    },
  };
}

/** RFC 4954 §6: 535 for wrong credentials, 454 where nothing was decided. */
async function authenticate(
  { directory, log }: MsaOptions,
  { username, password, mechanism }: Credentials,
  session: SmtpSession,
): Promise<Identity> {
  const { id, remoteAddress, localPort } = session;
  try {
    const account = await directory.authenticate(username, password, remoteAddress);
    log.info({ session: id, hop: 'MUA→MSA', remoteAddress, localPort, account: account.address }, 'authenticated');
    return { accountId: account.id, address: account.address, mechanism };
  } catch (error) {
    if (!(error instanceof AuthenticationFailure)) throw storeRefusal(error);
    // Without the name: who mistypes a field sends the password there.
    log.warn({ session: id, hop: 'MUA→MSA', remoteAddress, localPort, reason: error.message }, 'not authenticated');
    throw error.kind === 'busy'
      ? new Refusal(454, '4.7.0', 'Temporary authentication failure', error.message)
      : new Refusal(535, '5.7.8', 'Authentication credentials invalid', error.message);
  }
}

/** One message from a user. */
class Submission implements Transaction {
  readonly #options: MsaOptions;
  readonly #messageId: string;
  readonly #account: Account;
  readonly #reversePath: ReversePath;
  readonly #parameters: MailParameters;
  readonly #session: SmtpSession;
  readonly #recipients: RecipientList;

  constructor(
    options: MsaOptions,
    messageId: string,
    account: Account,
    reversePath: ReversePath,
    parameters: MailParameters,
    session: SmtpSession,
  ) {
    this.#options = options;
    this.#messageId = messageId;
    this.#account = account;
    this.#reversePath = reversePath;
    this.#parameters = parameters;
    this.#session = session;
    this.#recipients = new RecipientList(options.directory, options.store, parameters.size);
  }

  async recipient(address: Address, parameters: RcptParameters): Promise<void> {
    try {
      await this.#recipients.add(address, parameters, 'queue');
    } catch (error) {
      throw storeRefusal(error);
    }
  }

  async message(content: AsyncIterable<Uint8Array>): Promise<Reply> {
    const { store, limits, clock, log, queue } = this.#options;
    const { locals, remotes } = this.#recipients;
    const message = this.#messageId;
    const now = clock.now();
    const staging = store.stage();
    try {
      const staged = await stageContent(content, staging, limits, (header) => this.#header(header, now));
      log.info(
        {
          message,
          hop: 'MUA→MSA',
          account: this.#account.address,
          from: this.#reversePath === null ? '<>' : formatAddress(this.#reversePath),
          remoteAddress: this.#session.remoteAddress,
          size: staged.body.size,
        },
        'submitted',
      );
      log.info({ message, hop: 'MSA→MTA', local: locals.length, queued: remotes.length }, 'handed over');
      const arrival = {
        messageId: message,
        origin: sessionOrigin(this.#session, 'submission'),
        reversePath: this.#reversePath,
        parameters: this.#parameters,
        locals,
        remotes,
        content: staged,
        now,
      };
      await accept(store, log, arrival, queue);
    } catch (error) {
      staging.discard();
      throw storeRefusal(error);
    }
    return { code: 250, status: '2.0.0', text: `OK ${message}` };
  }

  /** Nothing is held before the content. */
  abandon(): void {}

  #header(arrived: ArrivedHeader, now: number): Uint8Array {
    const { directory, hostname, showClient, test } = this.#options;
    const fields = headerFields(arrived);
    if (!test.anyPassword) authoriseHeader(directory, this.#account, fields);
    refuseDeliveryLoop(fields, this.#recipients.locals);
    return completeHeader(arrived, {
      received: sessionReceived(this.#session, {
        hostname,
        messageId: this.#messageId,
        utf8: this.#parameters.smtputf8 === true,
        recipient: this.#recipients.only,
        now,
        showClient,
      }),
      date: `Date: ${formatDate(now, zoneAt(now))}\r\n`,
      // Unique over restarts by its time, over connections by its session's id.
      messageId: `Message-ID: ${messageId(`${now.toString(36)}.${this.#messageId}`, hostname)}\r\n`,
      from: `From: <${this.#reversePath === null ? this.#account.address : formatAddress(this.#reversePath)}>\r\n`,
    });
  }
}
