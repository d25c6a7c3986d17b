// What became of each message of a load: accepted by its 250, found in a mailbox or at the sink. A run with a message
// lost or doubled measures nothing.

export class Tally {
  readonly #accepted = new Set<number>();
  readonly #found = new Map<number, number>();

  accept(number: number): void {
    this.#accepted.add(number);
  }

  find(number: number): void {
    this.#found.set(number, (this.#found.get(number) ?? 0) + 1);
  }

  get accepted(): number {
    return this.#accepted.size;
  }

  get found(): number {
    return this.#found.size;
  }

  get complete(): boolean {
    return this.#found.size >= this.#accepted.size && this.lost === 0;
  }

  get lost(): number {
    let count = 0;
    for (const number of this.#accepted) if (!this.#found.has(number)) count++;
    return count;
  }

  get doubled(): number {
    let count = 0;
    for (const times of this.#found.values()) if (times > 1) count++;
    return count;
  }
}
