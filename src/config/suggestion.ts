// "Did you mean": the known word that is nearest to an unknown one.

/** Longer words are not compared: nobody mistypes what is longer than any key. */
const MAX_LENGTH = 64;

/** The nearest of `known`, if it is near enough to be what was meant; else null. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > MAX_LENGTH) return null;
  const plain = normal(word);
  let best: { readonly word: string; readonly distance: number } | null = null;
  for (const candidate of known) {
    const distance = normal(candidate) === plain ? 0 : distanceOf(plain, normal(candidate));
    if (best === null || distance < best.distance) best = { word: candidate, distance };
  }
  return best !== null && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.word : null;
}

/** `messageSize`, `message-size` and `MESSAGE_SIZE` are one word. */
function normal(word: string): string {
  return word.toLowerCase().replace(/[-_. ]/g, '');
}

/** Letters to insert, drop, change, or swap with their neighbour (optimal string alignment). */
function distanceOf(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (current[column - 1] ?? 0) + 1,
        (above[column] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = above;
    above = current;
  }
  return above[to.length] ?? 0;
}
