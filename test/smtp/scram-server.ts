// The server's side of SCRAM-SHA-256 (RFC 5802 §5) for the fake server, written apart from the client: answers by the lines
// that come.

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Answer, FakeSession } from './fake-server.ts';

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const encode = (text: string): string => Buffer.from(text).toString('base64');

export interface ScramServer {
  /** For the script's `on`; undefined for what is not AUTH's. */
  readonly on: (line: string, session: FakeSession) => Answer | undefined;
  /** gs2 headers of the exchanges, as they came. */
  readonly headers: string[];
}

interface Exchange {
  readonly header: string;
  readonly bare: string;
  readonly first: string;
  state: 'first' | 'final' | 'over';
}

/** @param claim what it does instead of proving itself */
export function scramServer(user: string, password: string, claim?: 'wrong proof' | 'no proof'): ScramServer {
  const salt = Buffer.from('salt of this server');
  const headers: string[] = [];
  const exchanges = new WeakMap<FakeSession, Exchange>();

  function final(message: string, session: FakeSession, exchange: Exchange): Answer {
    const { header, bare, first } = exchange;
    const match = /^(c=([^,]*),r=([^,]*)),p=(.*)$/.exec(message);
    if (match === null) return '535 5.7.8 not SCRAM';
    const [, withoutProof = '', cbind = '', nonce = '', proof = ''] = match;
    const bound = header.startsWith('p=')
      ? (session.tls?.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)) ?? Buffer.alloc(0))
      : Buffer.alloc(0);
    if (cbind !== Buffer.concat([Buffer.from(header), bound]).toString('base64')) return '535 5.7.8 binding';
    if (!first.startsWith(`r=${nonce},`)) return '535 5.7.8 nonce';
    const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256');
    const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
    const auth = `${bare},${first},${withoutProof}`;
    const signature = hmac(storedKey, auth);
    const key = Buffer.from(Buffer.from(proof, 'base64').map((octet, at) => octet ^ (signature[at] ?? 0)));
    if (!createHash('sha256').update(key).digest().equals(storedKey)) return '535 5.7.8 proof';
    if (claim === 'no proof') return '235 2.7.0 trust me';
    const server = hmac(hmac(salted, 'Server Key'), claim === 'wrong proof' ? 'something else' : auth);
    exchange.state = 'final';
    return `334 ${encode(`v=${server.toString('base64')}`)}`;
  }

  return {
    headers,
    on(line, session) {
      const initial = /^AUTH SCRAM-SHA-256(?:-PLUS)? (\S+)$/.exec(line)?.[1];
      if (initial !== undefined) {
        const message = Buffer.from(initial, 'base64').toString();
        const match = /^([^,]*,[^,]*,)(n=([^,]*),r=(.*))$/.exec(message);
        if (match?.[3] !== user) return '535 5.7.8 who?';
        const [, header = '', bare = '', , nonce = ''] = match;
        headers.push(header);
        const first = `r=${nonce}server,s=${salt.toString('base64')},i=4096`;
        exchanges.set(session, { header, bare, first, state: 'first' });
        return `334 ${encode(first)}`;
      }
      const exchange = exchanges.get(session);
      if (exchange?.state === 'first') {
        exchange.state = 'over';
        return final(Buffer.from(line, 'base64').toString(), session, exchange);
      }
      if (exchange?.state === 'final') {
        exchange.state = 'over';
        return line === '' ? '235 2.7.0 welcome' : '535 5.7.8 more?';
      }
      return undefined;
    },
  };
}
