// A program that means tomorrow what it means today: RFC 5267 §4.3 has sequence numbers be those of the time when the
// command came.

import type { Place } from './finding.ts';
import type { SearchKey, SearchProgram } from './keys.ts';
import { numberSet } from './number-set.ts';

export function pinned({ keys, badCharset }: SearchProgram, place: Place): SearchProgram {
  const pin = (key: SearchKey): SearchKey => {
    switch (key.key) {
      case 'sequence':
      case 'uid': {
        if (key.set === 'saved') return { key: 'among', uids: place.saved() };
        if (key.key === 'uid') return key;
        const within = numberSet(key.set, place.exists);
        return { key: 'among', uids: place.uids.filter((_, at) => within(at + 1)) };
      }
      case 'not':
      case 'fuzzy':
        return { key: key.key, operand: pin(key.operand) };
      case 'or':
        return { key: 'or', left: pin(key.left), right: pin(key.right) };
      case 'and':
        return { key: 'and', keys: key.keys.map(pin) };
      default:
        return key;
    }
  };
  return { keys: keys.map(pin), badCharset };
}
