// The client's side of SCRAM (RFC 5802 §5), written apart from the program: both hashes, any channel binding.

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Login } from './smtp.ts';

export type Binding = 'none' | 'tls-exporter' | 'tls-unique' | 'tls-server-end-point';

/** The octets of a binding as a client knows them; our certificates are signed with SHA-256 (RFC 5929 §4.1). */
export function bindingOf(socket: TLSSocket, binding: Binding): Buffer {
  if (binding === 'none') return Buffer.alloc(0);
  if (binding === 'tls-exporter') return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  // RFC 5929 §3.1: the client's Finished, where no session is resumed.
  if (binding === 'tls-unique') return socket.getFinished() ?? Buffer.alloc(0);
  return createHash('sha256').update(socket.getPeerCertificate().raw).digest();
}

/** The client's two messages, and what the server has to say at the end. */
export function scramClient(
  hash: 'sha1' | 'sha256',
  { user, password }: Login,
  binding: Binding,
  octets: Buffer,
  /** Without a binding: `y` for a client that could bind, and believes that the server cannot (RFC 5802 §6). */
  unbound: 'n' | 'y' = 'n',
) {
  const header = `${binding === 'none' ? unbound : `p=${binding}`},,`;
  const bare = `n=${user},r=clientnonce`;
  return {
    first: header + bare,
    final(serverFirst: string): { message: string; verifier: string } {
      const [, nonce = '', salt = '', count = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? [];
      const length = hash === 'sha1' ? 20 : 32;
      const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(count), length, hash);
      const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
      const clientKey = hmac(salted, 'Client Key');
      const withoutProof = `c=${Buffer.concat([Buffer.from(header), octets]).toString('base64')},r=${nonce}`;
      const auth = `${bare},${serverFirst},${withoutProof}`;
      const signature = hmac(createHash(hash).update(clientKey).digest(), auth);
      const proof = Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] ?? 0)));
      return {
        message: `${withoutProof},p=${proof.toString('base64')}`,
        verifier: `v=${hmac(hmac(salted, 'Server Key'), auth).toString('base64')}`,
      };
    },
  };
}
