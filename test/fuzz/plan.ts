// How many mutants each fuzzer makes: a few in `npm test`, about a minute of them in `npm run test:fuzz`. FUZZ_MUTANTS
// says how many in all, FUZZ_SEED which.

const SHORT = 8_000;

/** Of all mutants; by what one costs, the first three take about as long. */
const SHARES = { smtp: 3 / 8, imap: 1 / 8, pop3: 1 / 16, mime: 4 / 8, security: 1 / 8 } as const;

export const SEED = Number(process.env.FUZZ_SEED ?? 2);

export function mutantsOf(language: keyof typeof SHARES): number {
  return Math.ceil(Number(process.env.FUZZ_MUTANTS ?? SHORT) * SHARES[language]);
}
