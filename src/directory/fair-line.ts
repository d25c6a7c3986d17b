// A line for expensive work: so many at once, one waiting for each source, the others of that source behind it. Turns
// go round the sources, so whoever asks a lot waits for their own and not for others'.

/** Waiting of one source; and waiting in all: from the first number on only a source that has nothing waiting is let in,
 * so that a few cannot shut out the rest, at the second nobody. */
const WAITING_PER_SOURCE = 16;
const WAITING = 256;
const WAITING_AT_MOST = 1024;

type Job = () => void;

export class FairLine {
  /** Work under way at once. */
  readonly #atOnce: number;
  #running = 0;
  #waiting = 0;
  /** In the order of their turns. */
  readonly #sources = new Map<string, Job[]>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Does the work in its turn. Undefined, at once: too much is waiting. */
  enter<T>(source: string, work: () => Promise<T>): Promise<T> | undefined {
    const own = this.#sources.get(source);
    if (this.#waiting >= (own === undefined ? WAITING_AT_MOST : WAITING)) return undefined;
    if (own !== undefined && own.length >= WAITING_PER_SOURCE) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const job = () => {
      work()
        .then(resolve, reject)
        .finally(() => this.#done());
    };
    this.#waiting++;
    if (own === undefined) this.#sources.set(source, [job]);
    else own.push(job);
    this.#next();
    return promise;
  }

  #next(): void {
    if (this.#running >= this.#atOnce) return;
    for (const [source, jobs] of this.#sources) {
      const job = jobs.shift();
      // To the end of the round, if anything of it is left.
      this.#sources.delete(source);
      if (jobs.length > 0) this.#sources.set(source, jobs);
      if (job === undefined) continue;
      this.#waiting--;
      this.#running++;
      job();
      return;
    }
  }

  #done(): void {
    this.#running--;
    this.#next();
  }
}
