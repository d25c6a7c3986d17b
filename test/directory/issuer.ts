// An issuer of OAuth tokens for tests: an HTTPS server with its keys and its introspection, and what signs tokens, written
// apart from the program and its library.

import { createHmac, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { OauthConfig } from '../../src/config/config.ts';
import type { Identity } from '../../src/platform/tls.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';

export const SECRET = 'a secret, of:course';
export const AUDIENCE = 'https://mail.example.test';

export interface SigningKey {
  readonly kid: string;
  readonly alg: 'RS256' | 'ES256';
  readonly secret: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function signingKey(kid: string, alg: SigningKey['alg'] = 'ES256', modulusLength = 2048): SigningKey {
  const { publicKey, privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength });
  return { kid, alg, secret: privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT (RFC 7519). */
export function signed(key: SigningKey, claims: object, header: object = {}): string {
  const input = `${part({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })}.${part(claims)}`;
  const signature =
    key.alg === 'ES256'
      ? sign('sha256', Buffer.from(input), { key: key.secret, dsaEncoding: 'ieee-p1363' })
      : createSign('sha256').update(input).sign(key.secret);
  return `${input}.${signature.toString('base64url')}`;
}

/** One with no signature, and one under a secret that everybody knows. */
export const unsigned = (claims: object): string => `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims)}.`;
export function macSigned(secret: string, kid: string, claims: object): string {
  const input = `${part({ alg: 'HS256', kid, typ: 'at+jwt' })}.${part(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | object;
}

export class Issuer implements AsyncDisposable {
  readonly identity: Identity;
  readonly #server: Server;
  /** How often each path was asked for. */
  readonly asked = { '/jwks': 0, '/introspect': 0 };
  keys: readonly object[] = [];
  /** What is said of a token. */
  readonly known = new Map<string, object>();
  /** Instead of anything else. */
  answer: Answer | null = null;

  private constructor(identity: Identity, server: Server) {
    this.identity = identity;
    this.#server = server;
  }

  static async open(): Promise<Issuer> {
    const identity = await makeTestIdentity('localhost', '127.0.0.1');
    const server = createServer({ cert: identity.certificate, key: identity.key });
    const issuer = new Issuer(identity, server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url === '/introspect' ? '/introspect' : '/jwks';
        issuer.asked[path]++;
        const form = new URLSearchParams(Buffer.concat(chunks).toString());
        const said = issuer.answer ?? issuer.#answerTo(path, form, request.headers.authorization ?? '');
        response.writeHead(said.status ?? 200, { 'Content-Type': 'application/json', ...said.headers });
        response.end(typeof said.body === 'string' ? said.body : JSON.stringify(said.body));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return issuer;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // of a server that listens on a port
    return `https://localhost:${port}`;
  }

  secureContext(): SecureContext {
    return createSecureContext({ ca: this.identity.certificate });
  }

  /** The settings of a server that takes these tokens. */
  config(kind: 'jwks' | 'introspection', more: Partial<OauthConfig> = {}): OauthConfig {
    const source: OauthConfig['source'] =
      kind === 'jwks'
        ? { kind, url: `${this.url}/jwks` }
        : { kind, url: `${this.url}/introspect`, clientId: 'post:ern', secret: { kind: 'text', text: SECRET } };
    return { issuer: this.url, source, audience: AUDIENCE, claim: 'email', scope: null, authorities: [], ...more };
  }

  /** What a good token says. @param now ms since the epoch */
  claims(now: number, more: object = {}): object {
    const seconds = Math.floor(now / 1000);
    return { iss: this.url, aud: AUDIENCE, sub: 'u1', email: 'alice@example.test', exp: seconds + 300, ...more };
  }

  #answerTo(path: string, form: URLSearchParams, authorization: string): Answer {
    if (path === '/jwks') return { body: { keys: this.keys } };
    // RFC 6749 §2.3.1
    const [id = '', secret = ''] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':');
    const plain = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));
    if (plain(id) !== 'post:ern' || plain(secret) !== SECRET) return { status: 401, body: {} };
    return { body: this.known.get(form.get('token') ?? '') ?? { active: false } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
