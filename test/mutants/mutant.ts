// What a mutant is: one rule of the server, broken on purpose in a copy of the tree, and the tests that must turn red.

export interface Mutant {
  /** The rule that it breaks, as it should hold. */
  readonly rule: string;
  /** From the root. */
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** The test file that must turn red, from the root. */
  readonly caughtBy: string;
  /** A pattern of the names of the tests to run in it, as vitest's -t takes it. */
  readonly test: string;
}
