// Finding strings in text that comes in pieces, in time linear in the text whatever the client searches for.

/** A needle longer than this is sought by an algorithm without a worst case; characters. */
const SHORT = 64;

/** Seeks one folded string in pieces of folded text. */
interface Seeker {
  /** True when the needle ends in this piece; then it is not asked again before `restart`. */
  push(piece: string): boolean;
  /** What comes next does not join what came before. */
  restart(): void;
}

function seekerOf(needle: string): Seeker {
  return needle.length <= SHORT ? new ShortSeeker(needle) : new LongSeeker(needle);
}

/** The engine's own search, over each piece and the end of the one before. */
class ShortSeeker implements Seeker {
  readonly #needle: string;
  #tail = '';

  constructor(needle: string) {
    this.#needle = needle;
  }

  push(piece: string): boolean {
    const keep = this.#needle.length - 1;
    if ((this.#tail + piece.slice(0, keep)).includes(this.#needle) || piece.includes(this.#needle)) return true;
    const end = piece.length < keep ? this.#tail + piece : piece;
    this.#tail = keep === 0 ? '' : end.slice(-keep);
    return false;
  }

  restart(): void {
    this.#tail = '';
  }
}

/** Knuth, Morris and Pratt: each character is looked at a bounded number of times. */
class LongSeeker implements Seeker {
  readonly #needle: string;
  /** For each length of a match, the next shorter one that still holds. */
  readonly #fallback: Uint32Array;
  #matched = 0;

  constructor(needle: string) {
    this.#needle = needle;
    const fallback = new Uint32Array(needle.length + 1);
    for (let at = 1, matched = 0; at < needle.length; at += 1) {
      while (matched > 0 && needle[at] !== needle[matched]) matched = fallback[matched] ?? 0;
      if (needle[at] === needle[matched]) matched += 1;
      fallback[at + 1] = matched;
    }
    this.#fallback = fallback;
  }

  push(piece: string): boolean {
    const needle = this.#needle;
    let matched = this.#matched;
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at);
      while (matched > 0 && code !== needle.charCodeAt(matched)) matched = this.#fallback[matched] ?? 0;
      if (code === needle.charCodeAt(matched)) matched += 1;
      if (matched === needle.length) return true;
    }
    this.#matched = matched;
    return false;
  }

  restart(): void {
    this.#matched = 0;
  }
}

/** A test whether whole folded texts have this string in them. */
export function containing(needle: string): (text: string) => boolean {
  if (needle.length <= SHORT) return (text) => text.includes(needle);
  const seeker = new LongSeeker(needle);
  return (text) => {
    seeker.restart();
    return text.length >= needle.length && seeker.push(text);
  };
}

/** Several needles in one text. */
export class Needles {
  readonly #open: Map<string, Seeker>;
  readonly found = new Set<string>();

  constructor(needles: Iterable<string>) {
    this.#open = new Map([...needles].map((needle) => [needle, seekerOf(needle)]));
  }

  /** Nothing is left to find. */
  get done(): boolean {
    return this.#open.size === 0;
  }

  /** @returns true if a needle was found that had not been */
  push(piece: string): boolean {
    const before = this.found.size;
    for (const [needle, seeker] of this.#open) {
      if (!seeker.push(piece)) continue;
      this.found.add(needle);
      this.#open.delete(needle);
    }
    return this.found.size > before;
  }

  /** Another text begins: no match runs across. */
  restart(): void {
    for (const seeker of this.#open.values()) seeker.restart();
  }
}
