// The MTA's side that faces other servers: the Receiver of port 25. It trusts nobody, relays for nobody, and changes
// nothing of a message but its trace fields (RFC 5321 §2.3.10, §6.4). What it takes is in the mailboxes with its 250.

import type { Directory } from '../directory/directory.ts';
import { type Address, formatAddress, type ReversePath } from '../formats/address.ts';
import type { MailParameters, RcptParameters } from '../formats/envelope.ts';
import { asBuffer } from '../formats/octets.ts';
import type { Reply } from '../formats/refusal.ts';
import { refuseDeliveryLoop } from '../mda/deliver.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Receiver, SmtpSession, Transaction } from '../smtp/receiver.ts';
import type { Store } from '../store/store.ts';
import { accept, type QueueTimes } from './accept.ts';
import { type ArrivedHeader, type ContentLimits, stageContent } from './content.ts';
import { RecipientList } from './recipients.ts';
import { storeRefusal } from './store-refusal.ts';
import { MessageNumbers, sessionOrigin, sessionReceived } from './transaction-facts.ts';

export interface MtaOptions {
  readonly store: Pick<Store, 'execute' | 'read' | 'stage'>;
  readonly directory: Directory;
  readonly hostname: string;
  readonly limits: ContentLimits;
  readonly queue: QueueTimes;
  readonly clock: Clock;
  readonly log: Log;
}

/** The Receiver of a `transfer` listener. It has no `authenticate`: port 25 knows no AUTH. */
export function createMta(options: MtaOptions): Receiver {
  const numbers = new MessageNumbers();
  return {
    async sender(reversePath, parameters, session) {
      return new Reception(options, numbers.next(session), reversePath, parameters, session);
    },
  };
}

/** One message from another server. */
class Reception implements Transaction {
  readonly #options: MtaOptions;
  readonly #messageId: string;
  readonly #reversePath: ReversePath;
  readonly #parameters: MailParameters;
  readonly #session: SmtpSession;
  readonly #recipients: RecipientList;

  constructor(
    options: MtaOptions,
    messageId: string,
    reversePath: ReversePath,
    parameters: MailParameters,
    session: SmtpSession,
  ) {
    this.#options = options;
    this.#messageId = messageId;
    this.#reversePath = reversePath;
    this.#parameters = parameters;
    this.#session = session;
    this.#recipients = new RecipientList(options.directory, options.store, parameters.size);
  }

  async recipient(address: Address, parameters: RcptParameters): Promise<void> {
    try {
      await this.#recipients.add(address, parameters, 'refuse');
    } catch (error) {
      throw storeRefusal(error);
    }
  }

  async message(content: AsyncIterable<Uint8Array>): Promise<Reply> {
    const { store, limits, clock, log, queue } = this.#options;
    const now = clock.now();
    const staging = store.stage();
    try {
      const staged = await stageContent(content, staging, limits, (header) => this.#header(header, now));
      log.info(
        {
          message: this.#messageId,
          hop: 'MTA→MTA',
          from: this.#reversePath === null ? '<>' : formatAddress(this.#reversePath),
          remoteAddress: this.#session.remoteAddress,
          tls: this.#session.tls?.protocol ?? null,
          size: staged.body.size,
        },
        'received',
      );
      const arrival = {
        messageId: this.#messageId,
        origin: sessionOrigin(this.#session, 'transfer'),
        reversePath: this.#reversePath,
        parameters: this.#parameters,
        locals: this.#recipients.locals,
        remotes: [],
        content: staged,
        now,
      };
      await accept(store, log, arrival, queue);
    } catch (error) {
      staging.discard();
      throw storeRefusal(error);
    }
    return { code: 250, status: '2.0.0', text: `OK ${this.#messageId}` };
  }

  /** Nothing is held before the content. */
  abandon(): void {}

  #header(arrived: ArrivedHeader, now: number): Uint8Array {
    refuseDeliveryLoop(arrived.fields, this.#recipients.locals);
    const received = sessionReceived(this.#session, {
      hostname: this.#options.hostname,
      messageId: this.#messageId,
      utf8: this.#parameters.smtputf8 === true,
      recipient: this.#recipients.only,
      now,
      showClient: true,
    });
    return Buffer.concat([Buffer.from(received), asBuffer(arrived.octets)]);
  }
}
