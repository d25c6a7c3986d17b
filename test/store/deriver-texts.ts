// A deriver for tests of the search index: a body is its own text, in upper case.

import type { Deriver } from '../../src/store/upkeep/deriver.ts';

export const version: Deriver['version'] = 1;

export const derive: Deriver['derive'] = () => Uint8Array.of(1);

export const texts: NonNullable<Deriver['texts']> = async (read, size, most) => {
  const [header = '', text = ''] = Buffer.from(read(0, size)).toString().toUpperCase().split('\r\n\r\n');
  return size > most ? null : { header, text };
};
