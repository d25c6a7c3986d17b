// Numbers side by side, so that one statement can do for many rows.

/** Runs of numbers that each follow the one before by one, in their order; a number that comes again begins another. */
export function runsOf(numbers: Iterable<number>): { readonly first: number; readonly last: number }[] {
  const found: { first: number; last: number }[] = [];
  let run: { first: number; last: number } | undefined;
  for (const number of numbers) {
    if (run !== undefined && run.last + 1 === number) run.last = number;
    else {
      run = { first: number, last: number };
      found.push(run);
    }
  }
  return found;
}
