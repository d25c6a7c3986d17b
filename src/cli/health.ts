// The verb `health`: does every gate of the configuration answer as its role does? For a container's HEALTHCHECK.

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../platform/clock.ts';
import { runningGates } from './administration.ts';
import { type Context, configOf, EXIT, Failure, say } from './context.ts';
import { type Gate, nearAddress, placeOf } from './ports-table.ts';

/** ms for the control socket, then for all gates at once: together less than what a container's health check waits. */
const PATIENCE = 2_000;
/** A gate that lets clients wait for at least this long, ms, may be silent for as long as we listen; the control socket
 * has shown that the server lives, and the connection that it is taken. */
const LONG_WAIT = 1_000;
/** Octets of a greeting. */
const MAX_GREETING = 1_024;

/** What each role says first (RFC 5321 §4.3.1, RFC 3501 §7.1.1, RFC 1939 §4). */
const GREETING: Readonly<Record<Gate['role'], RegExp>> = {
  transfer: /^220[ -]/,
  submission: /^220[ -]/,
  imap: /^\* (?:OK|PREAUTH) /,
  pop3: /^\+OK/,
};

export async function health(context: Context): Promise<number> {
  const config = await configOf(context);
  const gates = await runningGates(config, PATIENCE);
  if (gates === null) throw new Failure('no server runs on this data folder');
  const wrong = (await Promise.all(gates.map(ailment))).filter((each) => each !== null);
  if (wrong.length > 0) throw new Failure(wrong.join('\n'));
  say(context, `${gates.length} gates answer`);
  return EXIT.done;
}

/** What is wrong with a gate; null: nothing. */
function ailment(gate: Gate): Promise<string | null> {
  const place = placeOf(gate.address, gate.port);
  return new Promise((resolve) => {
    const socket = open(gate);
    let said = '';
    const end = (result: string | null) => {
      giveUp();
      socket.destroy();
      resolve(result);
    };
    const giveUp = systemClock.after(PATIENCE, () => {
      const waits = gate.greetsAfter >= LONG_WAIT && !socket.connecting;
      end(waits ? null : `${gate.role} at ${place} does not answer`);
    });
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (!said.includes('\r\n') && said.length < MAX_GREETING) return;
      end(GREETING[gate.role].test(said) ? null : `${gate.role} at ${place} greets in another way`);
    });
    socket.on('error', (error) => {
      // Open to all of IPv6, of which this machine has no address (yet).
      const nowhere = gate.address === '::' && 'code' in error && error.code === 'EADDRNOTAVAIL';
      end(nowhere ? null : `${gate.role} at ${place}: ${error.message}`);
    });
    socket.on('end', () => end(`${gate.role} at ${place} closes`));
  });
}

function open({ address, port, tls }: Gate): Socket {
  const host = nearAddress(address);
  // Whether the certificate is good is for clients to say; here it only has to be there.
  return tls === 'implicit' ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port });
}
