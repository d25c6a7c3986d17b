// A SASL exchange seen from the server (RFC 4422 §3): responses in, challenges out, until it ends in what the client
// claims or in a refusal. A mechanism knows no transport (base64 and `+ ` are the protocol's) and checks no password.

/** What a mechanism ends with: a claim that the directory checks. A mechanism that proves something other than a
 * password adds its own kind here. Never logged. */
export interface PasswordClaim {
  readonly kind: 'password';
  readonly mechanism: 'PLAIN' | 'LOGIN';
  readonly username: string;
  readonly password: string;
}

/** The answer to one response. `refused`: not what the mechanism's grammar allows; `reason` is for the log and holds
 * nothing that the client sent. */
export type Step =
  | { readonly kind: 'challenge'; readonly challenge: Buffer }
  | { readonly kind: 'credentials'; readonly credentials: PasswordClaim }
  | { readonly kind: 'refused'; readonly reason: string };

/** One exchange under way. Not to be used again once a step was no challenge. */
export interface Exchange {
  /** Takes the client's response; null at the start for a client that sent no initial response (RFC 4422 §3.3), which
   * differs from an empty one. */
  step(response: Uint8Array | null): Step;
}

/** A mechanism by its name in the IANA registry. */
export interface Mechanism {
  readonly name: string;
  /** RFC 4422 §6.1: the client's secret crosses the wire, so it is offered only under TLS. */
  readonly cleartext: boolean;
  start(): Exchange;
}

/** A name or a password may have this many octets. RFC 4616 §2 demands 255 at least. */
const OCTETS_MAX = 1024;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a name or password; undefined if it is empty, too long, not UTF-8, or has a NUL, which a store that
 * keeps C strings would cut. */
export function decodeText(octets: Uint8Array): string | undefined {
  if (octets.length === 0 || octets.length > OCTETS_MAX || octets.includes(0)) return undefined;
  try {
    return decoder.decode(octets);
  } catch {
    return undefined;
  }
}

export function refused(reason: string): Step {
  return { kind: 'refused', reason };
}
