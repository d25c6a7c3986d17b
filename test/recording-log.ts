// A log for tests, whose lines are kept as values.

import { pino } from 'pino';
import type { Log } from '../src/platform/log.ts';

/** @param heard is given each line as it would be written, once it is among `lines` */
export function recordingLog(
  lines: Record<string, unknown>[],
  level = 'debug',
  heard: (line: string) => void = () => {},
): Log {
  return pino(
    { level, base: null },
    {
      write(line: string) {
        lines.push(JSON.parse(line)); // pino writes objects
        heard(line);
      },
    },
  );
}
