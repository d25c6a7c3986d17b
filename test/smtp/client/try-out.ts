// What the tests of the client share: a target at the fake server, an envelope and content from text.

import type { Address } from '../../../src/formats/address.ts';
import type { Envelope, MailParameters, RcptParameters } from '../../../src/formats/envelope.ts';
import type { Clock } from '../../../src/platform/clock.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { type ConnectionTarget, openConnection, type SmtpConnection } from '../../../src/smtp/client/connection.ts';
import type { Content } from '../../../src/smtp/client/content.ts';
import { clientContexts } from '../../../src/smtp/client/secure-context.ts';
import type { FakeServer } from '../fake-server.ts';

const contexts = clientContexts();

export function openTo(
  server: FakeServer,
  target: Partial<ConnectionTarget> = {},
  clock: Clock = systemClock,
  signal?: AbortSignal,
): Promise<SmtpConnection> {
  const whole: ConnectionTarget = {
    address: '127.0.0.1',
    port: server.port,
    name: 'fake.test',
    tls: 'offered',
    judge: null,
    credentials: null,
    ...target,
  };
  return openConnection(whole, {
    hostname: 'client.test',
    clock,
    secureContext: contexts({ floor: 'any', authorities: false }),
    ...(signal === undefined ? {} : { signal }),
  });
}

function mailbox(text: string): Address {
  const at = text.lastIndexOf('@');
  return { localPart: text.slice(0, at), domain: text.slice(at + 1) };
}

export function envelopeTo(
  recipients: readonly (string | readonly [string, RcptParameters])[],
  parameters: MailParameters = {},
  from: string | null = 'alice@client.test',
): Envelope {
  return {
    reversePath: from === null ? null : mailbox(from),
    parameters,
    recipients: recipients.map((one) =>
      typeof one === 'string'
        ? { address: mailbox(one), parameters: {} }
        : { address: mailbox(one[0]), parameters: one[1] },
    ),
  };
}

export function contentOf(text: string, chunk = 100_000): Content {
  const octets = Buffer.from(text, 'utf8');
  return {
    size: octets.length,
    async *open() {
      for (let at = 0; at < octets.length; at += chunk) yield octets.subarray(at, at + chunk);
    },
  };
}
