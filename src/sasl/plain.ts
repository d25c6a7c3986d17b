// SASL PLAIN (RFC 4616): one response, `authzid NUL authcid NUL passwd`.

import { decodeText, type Exchange, type Mechanism, refused, type Step } from './mechanism.ts';

export const plain: Mechanism = { name: 'PLAIN', offered: () => true, start: (): Exchange => ({ step }) };

/** message = [authzid] UTF8NUL authcid UTF8NUL passwd */
function step(response: Uint8Array | null): Step {
  // RFC 4616 §2: without an initial response the server sends an empty challenge.
  if (response === null) return { kind: 'challenge', challenge: Buffer.alloc(0) };
  const first = response.indexOf(0);
  const second = response.indexOf(0, first + 1);
  if (first < 0 || second < 0) return refused('PLAIN: fewer than two NULs');
  const authorization = response.subarray(0, first);
  const authentication = response.subarray(first + 1, second);
  const username = decodeText(authentication);
  const password = decodeText(response.subarray(second + 1));
  if (username === undefined || password === undefined) return refused('PLAIN: name or password empty or unusable');
  // Nobody acts for another here, so an authorization identity may only repeat the authentication identity.
  if (first > 0 && Buffer.compare(authorization, authentication) !== 0) return refused('PLAIN: acting for another');
  return { kind: 'claim', claim: { kind: 'password', mechanism: 'PLAIN', username, password } };
}
