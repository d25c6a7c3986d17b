// A deriver for tests: the length of the body, and a number that says when it was computed.

import type { Deriver } from '../../src/store/upkeep/deriver.ts';

export const version: Deriver['version'] = 1;

export const derive: Deriver['derive'] = (read, size) => {
  const first = read(0, 16);
  return new Uint8Array(Buffer.from(`${size} ${Buffer.from(first).toString('latin1')}`));
};
