// The load of server-crash.test.ts: numbered messages over port 25, for two mailboxes here, and over 465, for one mailbox
// here and a recipient elsewhere; as many as fit until the server is gone. Each tells by its content what it must be.

import { randomInt } from 'node:crypto';
import { SmtpClient } from '../clients/smtp.ts';
import { PASSWORD, type Program, userAddress, userName } from '../process/program.ts';

/** Connections to port 25 and to port 465. */
const SENDERS = { inbound: 3, submission: 3 } as const;

/** What was acknowledged, by number. */
export class Sent {
  readonly inbound = new Set<number>();
  readonly submitted = new Set<number>();
  #tell: () => void = () => undefined;

  note(number: number): void {
    (isSubmitted(number) ? this.submitted : this.inbound).add(number);
    this.#tell();
  }

  /** Resolves once so many more have been acknowledged on either way. */
  async more(count: number): Promise<void> {
    const [inbound, submitted] = [this.inbound.size + count, this.submitted.size + count];
    while (this.inbound.size < inbound || this.submitted.size < submitted) {
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }
}

/** Odd numbers go over 465, even ones over 25. */
export const isSubmitted = (number: number): boolean => number % 2 === 1;

/** A message from its number: some are staged in chunks, most are not. */
export function contentOf(number: number): string {
  const octets = number % 32 === 0 ? 300_000 : (number * 7919) % 6_000;
  const filler = `${'x'.repeat(70)}\r\n`.repeat(Math.ceil(octets / 72));
  return `Subject: ${number}\r\nFrom: <${userAddress(1)}>\r\n\r\n${filler}end ${number}\r\n`;
}

/** The number of a message that is whole, as a mailbox or the other server has it. @throws Error for any other */
export function numberOf(message: string): number {
  const number = Number(/^Subject: (\d+)\r$/m.exec(message)?.[1]);
  const body = message.slice(message.indexOf('\r\n\r\n'));
  const sent = contentOf(number);
  if (body !== sent.slice(sent.indexOf('\r\n\r\n'))) throw new Error(`message ${number} is not what was sent`);
  return number;
}

/** Numbers of messages, each given out once. */
export class Numbers {
  #next = { odd: 1, even: 2 };

  take(submitted: boolean): number {
    const kind = submitted ? 'odd' : 'even';
    this.#next[kind] += 2;
    return this.#next[kind] - 2;
  }
}

/** Sends until the server is gone. @param sent where what was acknowledged is noted, as it comes */
export async function load(program: Program, numbers: Numbers, sent: Sent): Promise<void> {
  const login = { user: userName(1), password: PASSWORD };
  const inbound = async (): Promise<void> => {
    using client = await SmtpClient.open({ port: program.port(25) });
    for (;;) {
      const number = numbers.take(false);
      const recipients = [userAddress(1), userAddress(2)];
      await client.send('sender@sender.test', recipients, `${contentOf(number)}.\r\n`);
      sent.note(number);
    }
  };
  const submission = async (): Promise<void> => {
    using client = await SmtpClient.open({ port: program.port(465), tls: 'implicit' }, login);
    for (;;) {
      const number = numbers.take(true);
      const recipients = [userAddress(1), `number${number}@remote.test`];
      await client.send(userAddress(1), recipients, `${contentOf(number)}.\r\n`);
      sent.note(number);
    }
  };
  const senders = [
    ...Array.from({ length: SENDERS.inbound }, inbound),
    ...Array.from({ length: SENDERS.submission }, submission),
  ];
  const ends = await Promise.allSettled(senders);
  // A refusal would be a finding; a connection that broke is what is expected.
  for (const end of ends) {
    if (end.status === 'rejected' && end.reason?.name === 'UnexpectedReply') throw end.reason;
  }
}

/** A moment to kill at, ms from the beginning of a load: often among the first messages, sometimes far into it. */
export const moment = (): number => randomInt(0, 20) ** 2;
