// One server on one store: the lock that the kernel drops with the process, and the file systems on which neither it
// nor SQLite's write-ahead log works.

import { statfsSync } from 'node:fs';
import { Connection, isBusy, storeError } from './engine.ts';
import { StoreError } from './store.ts';

/** Types of statfs(2) on Linux: shared memory and locks across these do not hold what SQLite needs. */
const UNSUITABLE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB 2'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE or virtiofs'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x786f4256, 'a VirtualBox shared folder'],
  [0xbacbacbc, 'a VMware shared folder'],
]);

/** The name of a file system that cannot hold a store, by its statfs type. */
export function unsuitableFileSystem(type: number): string | undefined {
  // Node may give the type as a signed number.
  return UNSUITABLE.get(type >>> 0);
}

/** @throws StoreError refused */
export function checkFileSystem(folder: string): void {
  if (process.platform !== 'linux') return;
  const name = unsuitableFileSystem(statfsSync(folder).type);
  if (name === undefined) return;
  throw new StoreError(
    'refused',
    `The store cannot be in ${folder}, which is on ${name}: SQLite's write-ahead log needs a local file system`,
  );
}

/** Takes the lock of a store. @returns what holds it until it is closed. @throws StoreError refused */
export function lockStore(path: string): Connection {
  let lock: Connection | undefined;
  try {
    lock = new Connection(path);
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (isBusy(error)) throw new StoreError('refused', `Another Postern has this store open (${path} is locked)`);
    const { message } = storeError(error);
    throw new StoreError(
      'refused',
      `The lock of the store, ${path}, cannot be taken (${message}): it must be a file that this user may write`,
      { cause: error },
    );
  }
}
