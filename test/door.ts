// A listener as gates open it for tests: loopback, any free port, a protocol behind it.

import { type Connection, type ListenerOptions, listen } from '../src/platform/listener.ts';

/** What is another in each gate. */
interface DoorOptions
  extends Pick<ListenerOptions, 'role' | 'tls' | 'floor' | 'keeper' | 'log' | 'busyLine' | 'wrongDoorLine'> {
  /** From one source and in all. */
  readonly connections?: number | undefined;
}

export async function openDoor(
  { connections = 5_000, ...options }: DoorOptions,
  handle: (connection: Connection) => void,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const listener = await listen(
    {
      ...options,
      addresses: ['127.0.0.1'],
      port: 0,
      maxConnections: connections,
      maxConnectionsPerSource: connections,
      handshakeTimeout: 10_000,
    },
    handle,
  );
  return { port: listener.bound[0]?.port ?? 0, close: () => listener.close() };
}
