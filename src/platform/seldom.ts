// Something that may happen very often, and is to be said only now and then: a peer must not be able to fill the log.

/**
 * Calls `act` at most once in `every` ms, with how many calls went unsaid since the last time. A call that comes too soon
 * is counted and dropped.
 */
export function seldom<Arguments extends unknown[]>(
  every: number,
  act: (unsaid: number, ...given: Arguments) => void,
  now: () => number = () => performance.now(),
): (...given: Arguments) => void {
  let last = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (...given) => {
    if (now() - last < every) {
      unsaid += 1;
      return;
    }
    const before = unsaid;
    last = now();
    unsaid = 0;
    act(before, ...given);
  };
}
