// A disk that is full must not keep anybody from reading: what reading writes by the way is left undone then.

import { StoreError } from '../store/store.ts';

/** @param written what nobody needs to read by: \Recent, or \Seen of what is fetched
 * @returns null where there is no room for it @throws whatever else went wrong */
export async function ifRoom<T>(written: Promise<T>): Promise<T | null> {
  try {
    return await written;
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'full') return null;
    throw error;
  }
}
