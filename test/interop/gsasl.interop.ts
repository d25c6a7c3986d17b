// GNU SASL's own client: SCRAM bound to the connection (-PLUS), over 143 and 587, by tls-unique in TLS 1.2 and by tls-exporter
// in TLS 1.3; and without a binding where it has none.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Gate, PASSWORD, Program, userAddress } from '../process/program.ts';
import { cases, type Finished, program, run } from './foreign.ts';
import { authorityOf } from './mailbox.ts';

const gsasl = await program('gsasl', ['gsasl', '--version'], /^gsasl \(.*\) (\S+)/);

/** GnuTLS's words for versions of TLS. */
const VERSIONS = { '1.2': 'NORMAL:-VERS-ALL:+VERS-TLS1.2', '1.3': 'NORMAL:-VERS-ALL:+VERS-TLS1.3' } as const;
/** What it says once the server has proved that it knows the password. */
const TRUSTED = /server trusted/;

cases([gsasl], () => {
  let server: Program;
  beforeAll(async () => {
    server = await Program.start({ more: '[sasl]\nchannel_binding = true' });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const call = (gate: Gate, mechanism: string, password: string, ...more: string[]): Promise<Finished> =>
    run('gsasl', [
      ...['--client', gate === 143 ? '--imap' : '--smtp', '--starttls', `--connect=localhost:${server.port(gate)}`],
      ...[`--x509-ca-file=${authorityOf(server)}`, `--mechanism=${mechanism}`, ...more],
      ...[`--authentication-id=${userAddress(1)}`, `--password=${password}`],
    ]);

  test.each([143, 587] as const)('logs in over %d, bound to the connection', async (gate) => {
    for (const version of ['1.2', '1.3'] as const) {
      for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS']) {
        const { code, said } = await call(gate, mechanism, PASSWORD, `--priority=${VERSIONS[version]}`);
        expect(code, said).toBe(0);
        expect(said, `${mechanism} over TLS ${version}`).toMatch(TRUSTED);
      }
    }
  });

  test('and without a binding, but not with another password', async () => {
    expect((await call(143, 'SCRAM-SHA-256', PASSWORD, '--no-cb')).said).toMatch(TRUSTED);
    const { code, said } = await call(143, 'SCRAM-SHA-256-PLUS', 'other');
    expect(code, said).not.toBe(0);
    expect(said).not.toMatch(TRUSTED);
  });
});
