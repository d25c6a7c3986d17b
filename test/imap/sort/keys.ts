// Sort keys of a message that has no more than what is said here.

import { SortKeys, type SortValues, sortValuesOf, writeSortKeys } from '../../../src/imap/sort/sort-keys.ts';

export function sortKeys(values: Partial<SortValues> = {}): SortKeys {
  return new SortKeys(writeSortKeys({ ...sortValuesOf([]), ...values }));
}
