// A deriver for tests whose summaries are large: three of them are more than one read returns.

import type { Deriver } from '../../src/store/upkeep/deriver.ts';

export const version: Deriver['version'] = 1;

export const derive: Deriver['derive'] = () => new Uint8Array(3_000_000);
