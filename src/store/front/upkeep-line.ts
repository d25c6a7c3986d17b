// The line from the front to the upkeep thread. Whatever becomes of that thread, the store goes on without it.

import type { Worker } from 'node:worker_threads';
import type { Log } from '../../platform/log.ts';
import type { FromUpkeep, ToUpkeep } from '../protocol.ts';
import type { Upkeeper } from '../reads/summaries.ts';
import type { BodyId } from '../rows.ts';

export class UpkeepLine implements Upkeeper {
  /** Called when derived.db can be read, and each time that it was made anew. */
  onOpen: () => void = () => {};
  /** Called when it cannot, and is to be released. */
  onUnfit: () => void = () => {};
  readonly #worker: Worker;
  readonly #log: Log;
  readonly #asked = new Map<number, (summary: Uint8Array | undefined) => void>();
  #lastId = 0;
  #gone = false;
  #closing = false;

  constructor(worker: Worker, log: Log) {
    this.#worker = worker;
    this.#log = log;
    worker.on('message', (message: FromUpkeep) => this.#hear(message));
    worker.on('error', (error) => log.error({ err: error }, 'The upkeep thread failed'));
    worker.on('exit', () => this.#end());
  }

  keep(summaries: Parameters<Upkeeper['keep']>[0]): void {
    this.#post({ kind: 'keep', summaries });
  }

  derive(body: BodyId): Promise<Uint8Array | undefined> {
    if (this.#gone) return Promise.resolve(undefined);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#post({ kind: 'derive', id, body });
    });
  }

  released(): void {
    this.#post({ kind: 'released' });
  }

  async close(): Promise<void> {
    if (this.#gone) return;
    this.#closing = true;
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#post({ kind: 'close' });
    await exit;
  }

  #post(message: ToUpkeep): void {
    if (!this.#gone) this.#worker.postMessage(message);
  }

  #hear(message: FromUpkeep): void {
    switch (message.kind) {
      case 'open':
        if (!this.#closing) this.onOpen();
        break;
      case 'unfit':
        this.onUnfit();
        break;
      case 'derived':
        this.#asked.get(message.id)?.(message.summary ?? undefined);
        this.#asked.delete(message.id);
        if (message.error !== null) this.#log.warn({ part: 'upkeep', detail: message.error }, 'A summary failed');
        break;
      case 'warning':
        this.#log.warn({ part: 'upkeep' }, message.text);
        break;
    }
  }

  /** Without the thread nothing is kept any more, and everything still works. */
  #end(): void {
    this.#gone = true;
    for (const [id, resolve] of this.#asked) {
      this.#asked.delete(id);
      resolve(undefined);
    }
  }
}
