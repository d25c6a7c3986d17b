// The conversation of one session: read a command, parse it, run it, write what it returned (RFC 3501 §3, §5.5). Commands
// run one after another, so that no two can be ambiguous. The three kinds of errors end here: refusals become NO or BAD,
// our own mistakes NO [SERVERBUG], and a client that is gone ends the session.

import { Disconnected } from '../platform/socket-writer.ts';
import { capabilityData } from './capabilities.ts';
import { Farewell } from './commands/command.ts';
import { type Parsed, parseCommand, untagged } from './commands/table.ts';
import { type Completion, completionLine } from './completion.ts';
import type { Step } from './grammar/command-reader.ts';
import type { LiteralHead, Scanner } from './grammar/scanner.ts';
import { MessageLiteral } from './incoming-message.ts';
import { LIMIT } from './limits.ts';
import type { ImapSession } from './session.ts';
import { refusalFor } from './store-refusal.ts';

/** Converses until the connection is over. Never rejects. */
export async function converse(session: ImapSession): Promise<void> {
  const { client, writer } = session;
  client.attend();
  try {
    if (client.farewell === null) {
      writer.line(`* OK [${capabilityData(session.standing)}] ${session.hostname} speaks IMAP`);
    }
    await runCommands(session);
  } catch (error) {
    sayFarewell(session, error);
  } finally {
    await session.end();
  }
}

function sayFarewell({ id, client, writer, log }: ImapSession, error: unknown): void {
  if (error instanceof Farewell) {
    client.note('info', error.message);
    writer.line(`* BYE ${error.message}`);
  } else if (error instanceof Disconnected) {
    if (error.cause) log.error({ session: id, err: error.cause }, `imap: ${error.message}`);
  } else {
    log.error({ session: id, err: error }, 'imap: session ended by an error of ours');
    writer.line('* BYE [SERVERBUG] Something went wrong here');
  }
}

/** Until LOGOUT. @throws Farewell, Disconnected */
async function runCommands(session: ImapSession): Promise<void> {
  const { client, reader, turn } = session;
  const parse = (scanner: Scanner) => parseTagged(scanner, session);
  while (session.following !== 'logout') {
    if (client.farewell !== null) throw client.farewell;
    const step: Step<Parsed> = reader.next(parse);
    switch (step.kind) {
      case 'more':
        await session.tellBetweenCommands();
        await client.wait();
        break;
      case 'continue':
        session.writer.line('+ Go on');
        break;
      case 'command':
        client.understood();
        await execute(session, step.value, step.message);
        // Who sends commands ahead lets others in between them, however little each of them reads or writes.
        if (reader.unread > 0) turn.spend(LIMIT.turn);
        await turn.pass();
        break;
      case 'refused':
        await complete(session, step.refusal.completion);
        break;
      case 'lost':
        throw new Farewell(step.text);
    }
  }
}

/** command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF
 * @throws ImapRefusal, LiteralWanted */
function parseTagged(scanner: Scanner, session: ImapSession): Parsed {
  const { enabled } = session;
  session.tag = '';
  session.tag = scanner.tag();
  scanner.utf8 = enabled.utf8;
  scanner.rev2 = enabled.rev2;
  const alone = scanner.peek() === -1 ? untagged(session.tag) : null;
  if (alone !== null) throw alone;
  scanner.space();
  return parseCommand(scanner, session);
}

async function execute(session: ImapSession, { run, tellsExpunge }: Parsed, head: LiteralHead | null): Promise<void> {
  const { client, reader, writer } = session;
  const literal =
    head &&
    new MessageLiteral(head, reader, {
      invite: () => writer.line('+ Send the message'),
      wait: () => client.wait(),
    });
  session.literal = literal;
  let completion: Completion;
  try {
    completion = await run(session);
  } catch (error) {
    const refusal = refusalFor(error, session);
    if (literal && !literal.ended) {
      reader.dropMessage(literal.sending, refusal);
      // The reader completes the command when it has dropped what still comes of it.
      if (literal.sending) return;
    }
    completion = refusal.completion;
  }
  session.literal = null;
  await session.tell(tellsExpunge);
  await complete(session, completion);
  const { following } = session;
  if (following === null || following === 'logout') return;
  session.following = null;
  await client.layers.change(following);
}

/** @throws Farewell where it cannot go on */
async function complete(session: ImapSession, completion: Completion): Promise<void> {
  session.writer.line(completionLine(session.tag || '*', completion));
  if (completion.status === 'BAD') session.client.misunderstood();
  session.requireMailbox();
  await session.writer.ready();
}
