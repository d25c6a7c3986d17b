// The conformance suite on the embedded engine.

import { describe } from 'vitest';
import { storeFolder } from './open-folder.ts';
import { storeCases } from './store.case.ts';

describe('SQLite', () => {
  storeCases({ begin: storeFolder });
});
