// Randomness that repeats: a seeded generator, and the mutations that the fuzzers make of valid input. A run is named by
// its seed, so that whatever breaks can be broken again.

/** Generator of 32-bit numbers: a Weyl sequence through the finalizer of MurmurHash3. Good enough to pick with. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }

  /** 0 to `bound` - 1; 0 for a bound below 1. */
  below(bound: number): number {
    return bound < 1 ? 0 : Math.floor((this.next() / 0x1_0000_0000) * bound);
  }

  /** `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  /** @throws RangeError for an empty list */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  bytes(length: number): Buffer {
    const octets = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++) octets[at] = this.next() & 0xff;
    return octets;
  }

  /** Cuts into pieces of random lengths, as a network might. */
  pieces(octets: Buffer, most = 16): Buffer[] {
    const cut: Buffer[] = [];
    for (let at = 0; at < octets.length; ) {
      const length = this.between(1, Math.max(1, Math.ceil(octets.length / this.between(1, most))));
      cut.push(octets.subarray(at, at + length));
      at += length;
    }
    return cut;
  }
}

/** Octets that protocols trip over: line ends, NUL, quotes, brackets, high octets, numbers at the edge of a type. */
const awkward: readonly Buffer[] = [
  ...['\r\n', '\n', '\r', '\r\n.\r\n', '\n.\n', '\0', '"', '\\', '{', '}', '{5}\r\n', '{5+}\r\n', '(', ')', '[', ']'],
  ...['<', '>', ':', '*', '%', ' ', '\t', '.', '..', ',', ';', '=', '==', '+', '-', '@', '&', '&AOk-', '~{3}\r\n'],
  ...['0', '-1', '65536', '2147483648', '4294967295', '4294967296', '9223372036854775807', '99999999999999999999'],
]
  .map((text) => Buffer.from(text))
  .concat([Buffer.from([0xff]), Buffer.from([0xc0, 0x80]), Buffer.from([0xed, 0xa0, 0x80])]);

type Mutation = (random: Random, octets: Buffer, words: readonly Buffer[]) => Buffer;

const splice = (octets: Buffer, at: number, remove: number, insert: Buffer): Buffer =>
  Buffer.concat([octets.subarray(0, at), insert, octets.subarray(at + remove)]);

/** Longest run that one mutation takes or adds, octets. */
const RUN = 64;

const mutations: readonly Mutation[] = [
  function flipBit(random, octets) {
    const at = random.below(octets.length);
    return splice(octets, at, 1, Buffer.from([(octets[at] ?? 0) ^ (1 << random.below(8))]));
  },
  function insertAwkward(random, octets) {
    return splice(octets, random.below(octets.length + 1), 0, random.pick(awkward));
  },
  function overwriteAwkward(random, octets) {
    const word = random.pick(awkward);
    return splice(octets, random.below(octets.length), word.length, word);
  },
  function insertWord(random, octets, words) {
    return words.length === 0 ? octets : splice(octets, random.below(octets.length + 1), 0, random.pick(words));
  },
  function insertBytes(random, octets) {
    return splice(octets, random.below(octets.length + 1), 0, random.bytes(random.between(1, 8)));
  },
  function removeRun(random, octets) {
    return splice(octets, random.below(octets.length), random.between(1, RUN), Buffer.alloc(0));
  },
  function repeatRun(random, octets) {
    const at = random.below(octets.length);
    const run = octets.subarray(at, at + random.between(1, RUN));
    return splice(octets, at, 0, Buffer.concat(Array.from({ length: random.pick([1, 2, 3, 50]) }, () => run)));
  },
  function cutShort(random, octets) {
    return octets.subarray(0, random.below(octets.length));
  },
  function changeNumber(random, octets) {
    const text = octets.toString('latin1');
    const numbers = [...text.matchAll(/\d+/g)];
    if (numbers.length === 0) return octets;
    const number = random.pick(numbers);
    const value = random.pick(['0', '1', String(Number(number[0]) + 1), '-1', '4294967296', '99999999999999999999']);
    return splice(octets, number.index, number[0].length, Buffer.from(value));
  },
  function swapCase(random, octets) {
    const at = random.below(octets.length);
    return splice(octets, at, 1, Buffer.from([(octets[at] ?? 0) ^ 0x20]));
  },
];

/**
 * A mutant of `octets`: one to four changes, at random.
 * @param words tokens of the language under test, to be thrown in
 */
export function mutate(random: Random, octets: Buffer, words: readonly Buffer[] = []): Buffer {
  let mutant = octets;
  for (let changes = random.pick([1, 1, 1, 2, 2, 3, 4]); changes > 0; changes--) {
    mutant = random.pick(mutations)(random, mutant, words);
  }
  return mutant;
}
