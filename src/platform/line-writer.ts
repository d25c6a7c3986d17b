// Lines to a file descriptor, written behind: nobody waits for them, what waits is bounded, and what cannot be written (a
// full disk, a reader that is gone) is lost and does no other harm. The log's way out.

import { write, writeSync } from 'node:fs';

export interface LineWriter {
  write(lines: string): void;
  /** Writes what waits before the process ends; for 'exit', where nothing can be waited for. Never throws. */
  finish(): void;
}

/** ms until a descriptor that takes nothing now (EAGAIN) is tried again; how often that is done at the end. */
const AGAIN_AFTER = 10;
const LAST_TRIES = 20;

/** @param max characters that may wait; lines beyond are dropped */
export function createLineWriter(descriptor: number, max: number): LineWriter {
  let waiting: string[] = [];
  let size = 0;
  let busy = false;

  function take(): Buffer {
    const octets = Buffer.from(waiting.join(''));
    waiting = [];
    size = 0;
    return octets;
  }

  function step(octets: Buffer): void {
    write(descriptor, octets, 0, octets.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => step(octets), AGAIN_AFTER).unref();
      } else if (error === null && written < octets.length) {
        step(octets.subarray(written));
      } else if (waiting.length > 0) {
        step(take());
      } else {
        busy = false;
      }
    });
  }

  return {
    write(lines) {
      if (size + lines.length > max) return;
      waiting.push(lines);
      size += lines.length;
      if (busy) return;
      busy = true;
      // Together with all else of this turn.
      setImmediate(() => step(take()));
    },
    finish() {
      let octets = take();
      for (let tries = 0; octets.length > 0 && tries < LAST_TRIES; ) {
        try {
          octets = octets.subarray(writeSync(descriptor, octets));
        } catch (error) {
          // What writeSync throws.
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
          tries += 1;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_AFTER);
        }
      }
    },
  };
}
