// Time as an argument: the only clock that the code may read, so that tests hold it in hand.

/** `now` is ms since the epoch. `after` calls back once, at least `ms` later, until the returned function is called;
 * it never keeps the process alive. */
export interface Clock {
  now(): number;
  after(ms: number, callback: () => void): () => void;
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}

/** Resolves when `work` is over, or after `ms`. Rejects as `work` does. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  await Promise.race([work, late]).finally(cancel);
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    // setTimeout fires at once for anything over 2^31 - 1 ms.
    const timer = setTimeout(callback, Math.min(ms, 2_147_483_647));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
