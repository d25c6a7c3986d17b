// The MTA's side that faces other servers: the Receiver of port 25. It trusts nobody, relays for nobody, and changes
// nothing of a message but its trace fields (RFC 5321 §2.3.10, §6.4). What it takes is in the mailboxes with its 250.

import { type Address, formatAddress } from '../formats/address.ts';
import { asBuffer } from '../formats/octets.ts';
import { Refusal } from '../formats/refusal.ts';
import type { ServicePorts } from '../platform/wrong-door.ts';
import { whereToSubmit } from '../smtp/listener/wrong-door.ts';
import type { Receiver } from '../smtp/receiver.ts';
import type { ArrivedHeader } from './content.ts';
import { RecipientList } from './recipients.ts';
import { storeRefusal } from './store-refusal.ts';
import { type Inspection, type TakeoverOptions, takeOver } from './takeover.ts';
import type { TlsReportInbox } from './tls-report/inbox.ts';
import { MessageNumbers, sessionReceived } from './transaction-facts.ts';

export interface MtaOptions extends TakeoverOptions {
  /** Where users submit mail, for those who try to here. */
  readonly submissionPorts: ServicePorts;
  /** Who takes TLS reports; null: nobody does. */
  readonly reports?: TlsReportInbox | null;
}

/** The Receiver of a `transfer` listener. It has no `authenticate`: port 25 knows no AUTH. */
export function createMta(options: MtaOptions): Receiver {
  const { directory, store, hostname, reports = null } = options;
  const numbers = new MessageNumbers();
  const refuse = (address: Address) => relayingDenied(address, options.submissionPorts);
  return {
    async sender(reversePath, parameters, session) {
      await options.room.message(parameters.size ?? 0);
      const messageId = numbers.next(session);
      const recipients = new RecipientList(directory, store, parameters.size);
      let inspection: Inspection | null = null;
      return {
        async recipient(address, rcpt) {
          if (reports?.isFor(address) === true) {
            inspection ??= reports.inspect(messageId);
            // It needs no mailbox.
            const found = await directory.resolve(address).catch((error: unknown) => {
              throw storeRefusal(error);
            });
            if (found.kind === 'unknown') return;
          }
          await recipients.add(address, rcpt, refuse);
        },
        message: (content) =>
          takeOver(
            options,
            {
              messageId,
              role: 'transfer',
              session,
              reversePath,
              parameters,
              recipients,
              inspection,
              header(arrived, now) {
                const received = sessionReceived(session, {
                  hostname,
                  messageId,
                  utf8: parameters.smtputf8 === true,
                  recipient: recipients.only,
                  now,
                  showClient: true,
                });
                return Buffer.concat([Buffer.from(received + separator(arrived)), ...withoutReturnPath(arrived)]);
              },
            },
            content,
          ),
        // Nothing is held before the content.
        abandon() {},
      };
    },
  };
}

/** A text without any header stays all body: our field in front must not make its first lines a header's. */
function separator({ octets, fields }: ArrivedHeader): string {
  return fields.length > 0 || asBuffer(octets).subarray(0, 2).equals(Buffer.from('\r\n')) ? '' : '\r\n';
}

/** RFC 5321 §4.4: of Return-Path fields the one that is written at delivery is the only one. All of this mail is delivered
 * here. */
function withoutReturnPath({ octets, fields }: ArrivedHeader): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const field of fields) {
    if (!field.is('return-path')) continue;
    pieces.push(asBuffer(octets).subarray(from, field.offset));
    from = field.offset + field.length;
  }
  return [...pieces, asBuffer(octets).subarray(from)];
}

/** Mostly it is a user's program that was told port 25: the wrong door, so the answer names the right ones. */
function relayingDenied(address: Address, ports: ServicePorts): Refusal {
  return new Refusal(
    550,
    '5.7.1',
    `Relaying denied: not one of our domains. ${whereToSubmit(ports)}`,
    `wrong door: relaying to ${formatAddress(address)} on a transfer port`,
  );
}
