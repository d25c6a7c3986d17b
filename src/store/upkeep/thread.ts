// The upkeep thread: the wiring of upkeep.ts to its two ports.

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../platform/clock.ts';
import type { FromUpkeep, ToUpkeep, UpkeepData, WriterToUpkeep } from '../protocol.ts';
import { Upkeep } from './upkeep.ts';

/** On Linux a thread has a niceness of its own: this one gives way to sessions and the writer. */
const NICE = 5;

if (parentPort === null) throw new Error('The upkeep thread is started by openStore');
const port = parentPort;
const data: UpkeepData = workerData;
const say = (message: FromUpkeep) => port.postMessage(message);
// Elsewhere the call would change the whole process.
if (process.platform === 'linux') setPriority(NICE);

const upkeep = new Upkeep(data, systemClock, say);
data.writer.on('message', (message: WriterToUpkeep) => upkeep.fromWriter(message));
port.on('message', (message: ToUpkeep) => {
  if (message.kind !== 'close') {
    upkeep.fromFront(message);
    return;
  }
  upkeep.close();
  data.writer.close();
  port.close();
});
upkeep.start().catch((error: unknown) => {
  say({ kind: 'warning', text: `The deriver cannot be used: ${error instanceof Error ? error.message : error}` });
});
