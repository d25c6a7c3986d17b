// Where a login takes place, put together the same way for every protocol: what the connection is, and what the directory
// keeps and checks.

import type { ScramHash } from '../formats/scram.ts';
import {
  type CertificateVerdict,
  CHANNEL_BINDINGS,
  type ChannelBindings,
  type KeptVerifier,
  type Surroundings,
  type TokenVerdict,
} from './mechanism.ts';
import { nonce } from './nonce.ts';

/** Of the directory, what mechanisms need. `source` is the peer's IP address. */
export interface Keeper {
  readonly checksPasswords: boolean;
  verifier(username: string, hash: ScramHash, source: string): Promise<KeptVerifier>;
  readonly tokens: {
    readonly scope: string | null;
    readonly configuration: string;
    check(token: string, username: string | null, source: string): Promise<TokenVerdict>;
  } | null;
  certified(addresses: readonly string[], username: string | null): Promise<CertificateVerdict>;
}

export interface Place {
  /** Of the TLS layer; null: the connection is in clear. */
  readonly bindings: ChannelBindings | null;
  /** Is it offered to bind to it? */
  readonly channelBinding: boolean;
  /** Mail addresses in the certificate of the client; null: there is none that counts. */
  readonly certificate: readonly string[] | null;
  readonly remoteAddress: string;
}

/** What can be bound to; null where there is nothing, so that no binding is offered (RFC 5802 §6). */
export function bindable(bindings: ChannelBindings | null): ChannelBindings | null {
  return bindings !== null && CHANNEL_BINDINGS.some((name) => bindings(name) !== null) ? bindings : null;
}

export function surroundingsAt(keeper: Keeper, place: Place): Surroundings {
  const { bindings, channelBinding, certificate, remoteAddress } = place;
  // RFC 6750 §5.3: who hears a token has it. So it is not asked for in clear, even where passwords are.
  const desk = bindings === null ? null : keeper.tokens;
  return {
    bindings: channelBinding ? bindable(bindings) : null,
    verifier: keeper.checksPasswords ? (name, hash) => keeper.verifier(name, hash, remoteAddress) : null,
    tokens: desk && {
      scope: desk.scope,
      configuration: desk.configuration,
      check: (token, username) => desk.check(token, username, remoteAddress),
    },
    certificate: certificate && ((username) => keeper.certified(certificate, username)),
    nonce,
  };
}
