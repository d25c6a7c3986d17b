// Mutants of signatures: what they cover, in whose name they are made, and what is sent without one.

import type { Mutant } from './mutant.ts';

const signer = 'test/trust/signer.test.ts';
const seal = 'test/msa/seal.test.ts';
const sevenBit = 'test/formats/seven-bit.test.ts';

export const trustMutants: readonly Mutant[] = [
  {
    rule: 'a second From breaks a signature',
    file: 'src/trust/dkim/signed-fields.ts',
    from: "new Set(['from', 'subject',",
    to: "new Set(['subject',",
    caughtBy: signer,
    test: 'breaks both',
  },
  {
    rule: 'white space at the end of a line is no part of a body',
    file: 'src/trust/dkim/relaxed-body.ts',
    from: 'this.#space = false;\n          this.#lineEnds += 1;',
    to: 'this.#lineEnds += 1;',
    caughtBy: 'test/trust/relaxed-body.test.ts',
    test: '',
  },
  {
    rule: 'nobody signs as a neighbour whom they only name',
    file: 'src/msa/seal.ts',
    from: 'dkim.signsFor(address.domain) && submitter.owns(address)',
    to: 'dkim.signsFor(address.domain)',
    caughtBy: seal,
    test: 'the domain is that',
  },
  {
    rule: 'a key is never open to others',
    file: 'src/trust/dkim/keys.ts',
    from: '.toString(), 0o600);',
    to: '.toString(), 0o640);',
    caughtBy: 'test/trust/keys.test.ts',
    test: 'for their owner alone',
  },
  {
    rule: 'what is signed by its author is never encoded',
    file: 'src/formats/seven-bit.ts',
    from: "(subtype === 'signed' || subtype === 'encrypted')",
    to: "subtype === 'encrypted'",
    caughtBy: sevenBit,
    test: 'is left as it is',
  },
  {
    rule: 'the line end before a delimiter is no content',
    file: 'src/formats/seven-bit.ts',
    from: 'this.#content.push(this.#lineEnd, octets.subarray(0, length - end));',
    to: 'this.#content.push(octets);',
    caughtBy: sevenBit,
    test: 'each part by itself',
  },
];
