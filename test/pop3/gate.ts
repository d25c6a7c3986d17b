// One real POP3 listener beside the IMAP listener of imap/gate.ts, over the same store and accounts: so that a test can see
// what the one does to the other.

import { MaildropLocks } from '../../src/pop3/maildrop-lock.ts';
import type { DoorPorts } from '../../src/pop3/options.ts';
import { createPop3, type Pop3 } from '../../src/pop3/pop3.ts';
import { busyLine, cleartextOnImplicit } from '../../src/pop3/wrong-door.ts';
import { openDoor } from '../door.ts';
import { closed, type Gate, type GateOptions, openGate } from '../imap/gate.ts';

/** Ports that the texts of the wrong door name in these tests. */
const PORTS: DoorPorts = {
  pop3: { implicit: 995, starttls: 110 },
  imap: { implicit: 993, starttls: 143 },
  submission: { implicit: 465, starttls: 587 },
};

const HOSTNAME = 'mail.example.test';

export interface Pop3GateOptions extends GateOptions {
  /** ms. */
  readonly loginDelay?: number;
  /** Days. */
  readonly expire?: number;
}

export interface Pop3Gate extends AsyncDisposable {
  readonly port: number;
  readonly pop3: Pop3;
  /** IMAP and the store behind both. */
  readonly beside: Gate;
}

export async function openPop3Gate(options: Pop3GateOptions = {}): Promise<Pop3Gate> {
  const { tls = 'none' } = options;
  await using stack = new AsyncDisposableStack();
  const beside = stack.use(await openGate(options));
  const { clock, store, directory, keeper, logger: log } = beside;
  const pop3 = createPop3({
    hostname: HOSTNAME,
    tls,
    floor: 'strict',
    keeper,
    store,
    directory,
    channelBinding: false,
    locks: new MaildropLocks(clock, options.loginDelay ?? 0),
    expire: options.expire ?? null,
    clock,
    log,
    ports: PORTS,
  });
  const door = await openDoor(
    {
      role: 'pop3',
      tls,
      floor: 'strict',
      keeper,
      log,
      busyLine: busyLine(HOSTNAME),
      wrongDoorLine: cleartextOnImplicit(PORTS.pop3),
    },
    (connection) => pop3.handle(connection),
  );
  stack.defer(() => closed(door, pop3, clock));
  const opened = stack.move();
  return {
    port: door.port,
    pop3,
    beside,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
