// Fairness on the one thread that all sessions share: reads answer at once and fast sockets take all, so a long command
// would never let go of it by itself. Who works counts what it cost, and passes the turn on when it was enough.

export class Turn {
  readonly #most: number;
  #spent = 0;

  /** @param most octets that one session reads or writes until others have their turn */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param octets read or written, or what takes as long */
  spend(octets: number): void {
    this.#spent += octets;
  }

  /** Others have waited long enough. */
  get over(): boolean {
    return this.#spent >= this.#most;
  }

  /** Resolves when others had their turn; at once if it is not over. */
  async pass(): Promise<void> {
    if (!this.over) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#spent = 0;
  }
}
