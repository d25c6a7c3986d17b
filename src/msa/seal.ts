// The signature that the MSA puts in front of what a user submits (RFC 6376), after it has completed the header: of the
// domain that the reader sees, where it is the user's own. Without a signature nothing is taken.

import type { Address, ReversePath } from '../formats/address.ts';
import { type HeaderField, headerAddresses } from '../formats/header.ts';
import type { ArrivedHeader } from '../mta/content.ts';
import type { Seal } from '../mta/takeover.ts';
import type { DkimSigner } from '../trust/dkim/signer.ts';

/** Whose a message is. */
export interface Submitter {
  /** May it be sent in the name of this address? */
  owns(address: Address): boolean;
  /** Who answers for a message that names nobody of ours. */
  readonly address: Address | null;
}

/** The seal of one message. */
export function sealOf(dkim: DkimSigner, submitter: Submitter, reversePath: ReversePath): Seal {
  // Begun with the content: a transaction that never comes so far costs nothing.
  let signature: ReturnType<DkimSigner['begin']> | null = null;
  let stored: ArrivedHeader | null = null;
  return {
    header(arrived) {
      stored = arrived;
      signature = dkim.begin();
    },
    body(octets) {
      signature?.body(octets);
    },
    async fields() {
      if (signature === null || stored === null) throw new Error('a message without a header cannot be signed');
      const domain = signingDomain(dkim, submitter, reversePath, stored.fields);
      return Buffer.from(await signature.fields(domain, stored), 'latin1');
    },
  };
}

/**
 * Who answers for the message: the domain of From, with which DMARC wants it to agree (RFC 7489 §3.1.1), of Sender, of
 * the envelope, of the user, the first that is their own. Nobody signs as a neighbour whom they only name.
 */
function signingDomain(
  dkim: DkimSigner,
  submitter: Submitter,
  reversePath: ReversePath,
  header: readonly HeaderField[],
): string {
  const named = ['from', 'sender'].flatMap((name) =>
    header.filter((field) => field.is(name)).flatMap((field) => headerAddresses(field.value)),
  );
  const candidates = [...named.map(({ address }) => address), reversePath, submitter.address];
  const own = candidates.find(
    (address) => address !== null && dkim.signsFor(address.domain) && submitter.owns(address),
  );
  return own?.domain ?? dkim.firstDomain;
}
