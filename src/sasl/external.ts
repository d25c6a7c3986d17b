// EXTERNAL (RFC 4422 appendix A) as a server: the client is who the certificate of its TLS connection says, and says at most
// which account it wants. Whose a certificate is, the directory knows.

import { decodeText, type Exchange, type Mechanism, refused, type Step, type Surroundings } from './mechanism.ts';

export const external: Mechanism = {
  name: 'EXTERNAL',
  offered: ({ certificate }) => certificate !== null,
  start: ({ certificate }) => exchange(certificate),
};

function exchange(certificate: Surroundings['certificate']): Exchange {
  return {
    /** extern-resp = *( UTF8-char-no-nul ): the authorization identity; empty: whose the certificate is */
    async step(response): Promise<Step> {
      if (response === null) return { kind: 'challenge', challenge: Buffer.alloc(0) };
      const username = response.length === 0 ? null : decodeText(response);
      if (username === undefined) return refused('EXTERNAL: name unusable');
      if (certificate === null) return refused('EXTERNAL: not to be had');
      const verdict = await certificate(username);
      if (verdict.kind === 'refused') return refused(`EXTERNAL: ${verdict.reason}`);
      return { kind: 'claim', claim: { kind: 'account', mechanism: 'EXTERNAL', account: verdict.account } };
    },
  };
}
