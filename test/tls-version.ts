// What a listener with implicit TLS makes of a client that knows one version of it.

import { once } from 'node:events';
import { connect, type SecureVersion } from 'node:tls';

/** The version that was agreed; null: none. The client itself refuses nothing. */
export async function agreedVersion(port: number, version: SecureVersion): Promise<string | null> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    minVersion: version,
    maxVersion: version,
    ciphers: 'DEFAULT@SECLEVEL=0',
    rejectUnauthorized: false,
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getProtocol();
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}
