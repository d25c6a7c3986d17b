// A SASL exchange seen from the client (RFC 4422 §3): challenges in, responses out. A mechanism knows no transport (base64
// and reply codes are the protocol's); what it says is secret.

/** What proves who we are. A token is one of OAuth 2.0 (RFC 6750), which stands for a password. */
export interface Secret {
  readonly kind: 'password' | 'token';
  readonly text: string;
}

export interface Login {
  readonly user: string;
  readonly secret: Secret;
}

/** What an exchange may bind itself to, beyond the login. */
export interface Surroundings {
  /** tls-exporter of the connection (RFC 9266 §2); null: there is none. */
  readonly binding: Buffer | null;
  /** Does the server offer a mechanism with channel binding? */
  readonly bindingOffered: boolean;
  /** Printable ASCII without a comma, never said before (RFC 5802 §5.1). */
  readonly nonce: string;
}

export interface ClientExchange {
  /** What is said with the name of the mechanism; null: the server speaks first. */
  readonly initial: Buffer | null;
  /** The response to a challenge. @throws ExchangeFailure; the exchange is to be cancelled then */
  respond(challenge: Buffer): Buffer | Promise<Buffer>;
  /** May the server's word that all went well be believed? With SCRAM, only once it has proved itself. */
  readonly complete: boolean;
}

/** A mechanism by its name in the IANA registry. */
export interface ClientMechanism {
  readonly name: string;
  /** The kind of secret that it needs. */
  readonly secret: Secret['kind'];
  /** It binds itself to the TLS connection: not without a binding. */
  readonly binds: boolean;
  start(login: Login, surroundings: Surroundings): ClientExchange;
}

/** The server said what the mechanism does not allow. The text holds nothing that either side has said. */
export class ExchangeFailure extends Error {
  override readonly name = 'ExchangeFailure';
}
