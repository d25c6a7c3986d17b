// Mutants of logins: proofs of a password, and whose an address is.

import type { Mutant } from './mutant.ts';

export const loginMutants: readonly Mutant[] = [
  {
    rule: 'the directory hears of a proof before the client is told that it is right',
    file: 'src/sasl/scram.ts',
    from: 'account = await kept.confirm();',
    to: 'kept.confirm().then((id) => void (account = id), () => undefined);',
    caughtBy: 'test/sasl/scram.test.ts',
    test: 'before the directory has heard of it',
  },
  {
    rule: 'a proof is for the password that is kept at its end',
    file: 'src/directory/open.ts',
    from: 'return (await this.#unchanged(row)).id;',
    to: 'return row?.id ?? 0;',
    caughtBy: 'test/directory/open.test.ts',
    test: 'and not for one before it',
  },
  {
    rule: 'RFC 7677 §4: nothing is bound to a session of TLS 1.2 that was resumed',
    file: 'src/platform/tls.ts',
    from: 'if (!modern && socket.isSessionReused()) return null;',
    to: '',
    caughtBy: 'test/platform/tls.test.ts',
    test: 'has none',
  },
  {
    rule: 'RFC 5802 §5.1: an extension that must be understood ends the exchange',
    file: 'src/sasl/scram.ts',
    from: ',r=([^,]+)(?:,(?!m=)',
    to: ',r=([^,]+)(?:,',
    caughtBy: 'test/sasl/scram.test.ts',
    test: 'an extension that must be understood',
  },
  {
    rule: 'an address is one, however its letters are written',
    file: 'src/store/address-form.ts',
    from: "address.normalize('NFC').toLowerCase()",
    to: "address.normalize('NFC')",
    caughtBy: 'test/store/conformance.test.ts',
    test: 'however its letters are written',
  },
];
