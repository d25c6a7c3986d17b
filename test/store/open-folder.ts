// A store in a folder of its own under the system's temporary one, for tests: opened, reopened, and removed when it has
// been looked at: what must hold in every store holds behind every test.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock } from '../../src/platform/clock.ts';
import { openStore, type StoreOptions } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { audit } from './audit.ts';

export interface StoreFolder extends AsyncDisposable {
  readonly folder: string;
  open(options?: Partial<StoreOptions>): Promise<Store>;
}

export async function storeFolder(): Promise<StoreFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-store-'));
  const opened: Store[] = [];
  return {
    folder,
    async open(options = {}) {
      const log = pino({ level: 'silent' });
      const store = await openStore({ folder, log, clock: systemClock, deriver: null, ...options });
      opened.push(store);
      return store;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((store) => store.close()));
      const broken = audit(folder);
      await rm(folder, { recursive: true, force: true });
      if (broken.length > 0) throw new Error(broken.join('\n'));
    },
  };
}
