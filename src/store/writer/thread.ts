// The store thread: owns mail.db, the only one that writes to it. Takes all that waits at its port, commits it as one,
// answers; frees and checkpoints in between. The wiring only: what a command does stands in commands/.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { FromWriter, Request, ToWriter, UpkeepToWriter, WriterData } from '../protocol.ts';
import { failureOf } from './batch.ts';
import { Inbox, type Taken } from './inbox.ts';
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
  const inbox = new Inbox(port, (step) => writer.view(step));
  let resting = true;
  const rest = () => {
    resting = true;
    const message = inbox.next();
    if (message !== undefined) handle(message);
    else wake(writer.free());
  };
  const wake = (more: boolean) => {
    if (!more || !resting) return;
    resting = false;
    setImmediate(rest);
  };
  const handle = (first: Taken) => {
    for (let message: Taken | undefined = first; message !== undefined; message = inbox.held()) {
      if (message.id === 'close') {
        writer.close();
        port.close();
        return;
      }
      if (message.id === 'tick') {
        writer.tick(message.now);
        continue;
      }
      const batch = inbox.batch(message);
      say(writer.commit(batch));
      freeChunks(batch);
    }
    const waiting = inbox.open();
    wake(writer.freeSoon() || waiting);
  };
  port.on('message', (parcel: readonly ToWriter[]) => {
    inbox.put(parcel);
    const message = inbox.held();
    if (message !== undefined) handle(message);
    else wake(true);
  });
  data.upkeep.on('message', (_: UpkeepToWriter) => writer.checkpointed());
  say({ kind: 'ready', commit: writer.numbers.commit });
  wake(true);
}

/** Gives the memory of stored chunks back at once: the collector of this thread, which sees little else, comes late. */
function freeChunks(batch: readonly Request[]): void {
  for (const { command } of batch) {
    if (command.kind === 'stage') command.octets.buffer.transfer(0);
  }
}
