// The first bytes on a port with implicit TLS (RFC 8314 §3.3): is it a handshake, or somebody at the wrong door? Reads no
// more than it needs to tell, and does nothing about it.

import type { Socket } from 'node:net';
import { recognise } from './wrong-door.ts';

/** How a client begins. `seen` is a name for people: a protocol, or `cleartext`. */
export type Opening =
  | { readonly kind: 'tls'; readonly head: Buffer }
  | { readonly kind: 'cleartext'; readonly seen: string }
  | { readonly kind: 'silent' }
  | { readonly kind: 'closed' };

/** A first line that is longer is not waited for. */
const ENOUGH = 64;

/**
 * Waits for what a client says first and names it.
 * @param timeoutMs a client that says nothing until then is `silent`, one that says half a line is judged by that
 */
export function knock(socket: Socket, timeoutMs: number): Promise<Opening> {
  return new Promise((resolve) => {
    let head = Buffer.alloc(0);
    const settle = (opening: Opening) => {
      clearTimeout(timer);
      socket.off('readable', read);
      socket.off('end', ended);
      socket.off('close', ended);
      resolve(opening);
    };
    const cleartext = () => settle({ kind: 'cleartext', seen: recognise(head) ?? 'cleartext' });
    const read = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      head = Buffer.concat([head, chunk]);
      // No first byte of a cleartext protocol is outside ASCII or a control character; OpenSSL answers what is.
      const first = head[0] ?? 0;
      if (first === 0x16 || first >= 0x80) settle({ kind: 'tls', head });
      else if (head.length >= ENOUGH || head.includes(0x0a) || recognise(head) === 'http') cleartext();
    };
    const ended = () => (head.length > 0 ? cleartext() : settle({ kind: 'closed' }));
    const timer = setTimeout(() => (head.length > 0 ? cleartext() : settle({ kind: 'silent' })), timeoutMs);
    socket.on('readable', read);
    socket.once('end', ended);
    socket.once('close', ended);
    if (socket.destroyed) ended();
  });
}
