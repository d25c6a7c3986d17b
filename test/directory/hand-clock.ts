// A clock in hand: time passes when the test says so.

import type { Clock } from '../../src/platform/clock.ts';

export interface HandClock extends Clock {
  /** Lets this many ms pass and calls what falls due. */
  pass(ms: number): void;
  /** How many callbacks are waiting. */
  readonly waiting: number;
}

export function handClock(start = Date.UTC(2026, 0, 1)): HandClock {
  let now = start;
  const alarms = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => now,
    after(ms, callback) {
      const alarm = { at: now + ms, callback };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
    pass(ms) {
      now += ms;
      for (const alarm of [...alarms]) {
        if (alarm.at > now) continue;
        alarms.delete(alarm);
        alarm.callback();
      }
    },
    get waiting() {
      return alarms.size;
    },
  };
}
