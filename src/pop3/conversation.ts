// The conversation of one session: read a command, run it, write what it returned (RFC 1939 §3). Commands run one after
// another, however many are pipelined (RFC 2449 §6.6). The three kinds of errors end here: refusals become -ERR, our own
// mistakes -ERR [SYS/TEMP], and a client that is gone ends the session, with nothing deleted.

import { Disconnected } from '../platform/socket-writer.ts';
import { StoreError } from '../store/store.ts';
import { Farewell } from './commands/command.ts';
import { parseCommand } from './commands/table.ts';
import { LIMIT } from './limits.ts';
import { MultiLine } from './multi-line.ts';
import { type Content, misspoken, ok, Pop3Refusal, type Reply, refusal, replyLine } from './reply.ts';
import { lost, type Pop3Session } from './session.ts';
import { refusalOf } from './store-refusal.ts';

/** Converses until the connection is over. Never rejects. */
export async function converse(session: Pop3Session): Promise<void> {
  const { client } = session;
  client.attend();
  try {
    if (client.farewell === null) client.writer.line(replyLine(ok(`${session.hostname} speaks POP3`)));
    await runCommands(session);
  } catch (error) {
    sayFarewell(session, error);
  } finally {
    await session.end();
  }
}

function sayFarewell({ id, client, log }: Pop3Session, error: unknown): void {
  if (error instanceof Farewell) {
    client.note('info', error.message);
    if (error.line !== null) client.writer.line(error.line);
  } else if (error instanceof Disconnected) {
    if (error.cause) log.error({ session: id, err: error.cause }, `pop3: ${error.message}`);
  } else {
    log.error({ session: id, err: error }, 'pop3: session ended by an error of ours');
    client.writer.line(replyLine(refusal('Something went wrong here', 'SYS/TEMP').reply));
  }
}

/** Until QUIT. @throws Farewell, Disconnected */
async function runCommands(session: Pop3Session): Promise<void> {
  const { client, reader } = session;
  while (session.following !== 'quit') {
    if (client.farewell !== null) throw client.farewell;
    const step = reader.next();
    switch (step.kind) {
      case 'more':
        await client.wait();
        break;
      case 'line':
        await execute(session, step.octets);
        // Who sends commands ahead lets others in between them, however little each of them reads or writes.
        if (reader.unread > 0) client.turn.spend(LIMIT.turn);
        await client.turn.pass();
        break;
      case 'too long':
        await refuse(session, misspoken('The line is too long'));
        break;
      case 'lost':
        throw lost();
    }
  }
}

async function execute(session: Pop3Session, line: Buffer): Promise<void> {
  const { client } = session;
  let reply: Reply;
  try {
    const run = parseCommand(line, session);
    client.understood();
    reply = await run(session);
  } catch (error) {
    await refuse(session, refusalFor(session, error));
    return;
  }
  client.writer.line(replyLine(reply));
  if (reply.content) await send(session, reply.content);
  await client.writer.ready();
  if (session.following !== 'stls') return;
  session.following = null;
  await session.startTls();
}

/** The lines of a multi-line response. One that has begun can only be finished or broken off: an error inside it would be
 * its content. @throws Disconnected */
async function send({ client: { writer } }: Pop3Session, content: Content): Promise<void> {
  const lines = new MultiLine();
  try {
    for await (const piece of content) {
      writer.give(lines.push(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece));
      await writer.ready();
    }
  } catch (error) {
    if (error instanceof Disconnected) throw error;
    throw new Disconnected('a response could not be finished', { cause: error });
  }
  writer.text(lines.finish());
}

/** @throws Farewell where it was one too many */
async function refuse({ client }: Pop3Session, refused: Pop3Refusal): Promise<void> {
  if (refused.misspoken) client.misunderstood();
  client.writer.line(replyLine(refused.reply));
  await client.writer.ready();
}

/** What the client reads of an error. @throws what is no answer but an end */
function refusalFor({ id, log }: Pop3Session, error: unknown): Pop3Refusal {
  if (error instanceof Farewell || error instanceof Disconnected) throw error;
  if (error instanceof Pop3Refusal) return error;
  if (error instanceof StoreError && error.kind !== 'failed') return refusalOf(error);
  log.error({ session: id, err: error }, 'pop3: a command failed by an error of ours');
  return refusal('Something went wrong here', 'SYS/TEMP');
}
