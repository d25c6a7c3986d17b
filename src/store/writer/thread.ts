// The store thread: owns mail.db, the only one that writes to it. Takes all that waits at its port, commits it as one,
// answers; frees and checkpoints in between. The wiring only: what a command does stands in commands/.

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Limit } from '../limits.ts';
import type { FromWriter, Request, ToWriter, WriterData } from '../protocol.ts';
import { failureOf } from './batch.ts';
import { octetsOf } from './octets.ts';
import { Writer } from './writer.ts';

if (parentPort === null) throw new Error('The store thread is started by openStore');
serve(parentPort, workerData);

function serve(port: MessagePort, data: WriterData): void {
  const say = (message: FromWriter) => port.postMessage(message);
  let writer: Writer;
  try {
    writer = new Writer(data, say);
  } catch (error) {
    say({ kind: 'refused', failure: failureOf(error) });
    data.upkeep.close();
    port.close();
    return;
  }
  let resting = true;
  const rest = () => {
    resting = true;
    const message = next(port);
    if (message !== undefined) handle(message);
    else wake(writer.free());
  };
  const wake = (more: boolean) => {
    if (!more || !resting) return;
    resting = false;
    setImmediate(rest);
  };
  const handle = (first: ToWriter) => {
    let message: ToWriter | undefined = first;
    while (message !== undefined) {
      if (message.id === 'close') {
        writer.close();
        port.close();
        return;
      }
      if (message.id === 'tick') {
        writer.tick(message.now);
        break;
      }
      const { batch, end } = collect(port, message);
      say(writer.commit(batch));
      freeChunks(batch);
      message = end;
    }
    wake(writer.freeSoon());
  };
  port.on('message', handle);
  data.upkeep.on('message', (message) => writer.checkpointed(message));
  say({ kind: 'ready', commit: writer.numbers.commit });
  wake(true);
}

/** What waits at the port, up to the bounds of a transaction; `end` is a message that is no command. */
function collect(port: MessagePort, first: Request): { batch: Request[]; end: ToWriter | undefined } {
  const batch = [first];
  let octets = octetsOf(first);
  while (batch.length < Limit.batchCommands && octets < Limit.batchOctets) {
    const message = next(port);
    if (message === undefined) break;
    if (typeof message.id === 'string') return { batch, end: message };
    // Narrowed by its id: only a request has a number.
    const request = message as Request;
    batch.push(request);
    octets += octetsOf(request);
  }
  return { batch, end: undefined };
}

/** Gives the memory of stored chunks back at once: the collector of this thread, which sees little else, comes late. */
function freeChunks(batch: readonly Request[]): void {
  for (const { command } of batch) {
    if (command.kind === 'stage') command.octets.buffer.transfer(0);
  }
}

function next(port: MessagePort): ToWriter | undefined {
  return receiveMessageOnPort(port)?.message;
}
