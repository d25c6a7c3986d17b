// The connections that all destinations share, counted so that none starves another. Who waits for a slow or dead host
// gives their place to somebody else after a moment, and goes on waiting beside; only where too many wait so, and mail for
// others waits for them, the longest wait is ended before its time.

import type { Clock } from '../platform/clock.ts';

/** ms without progress until a connection no longer counts among those that work. */
const PATIENCE = 5_000;
/** ms that nobody is cut short in: before a connection is ready for mail, which costs nothing to try again, and in a
 * transaction (RFC 5321 §4.5.3.2.6 gives ten minutes to the last answer alone). */
const UNDISTURBED = { opening: 60_000, transaction: 900_000 } as const;

export interface ConnectionsOptions {
  readonly clock: Clock;
  /** Connections that work at a time. */
  readonly most: number;
  /** Connections that wait beside them. */
  readonly waiting: number;
  /** Does anybody wait for a place? */
  readonly crowded: () => boolean;
  /** There may be one. */
  readonly room: () => void;
}

/** What can be cut off. */
interface Closable {
  destroy(): void;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  #working = 0;
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<Place>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Places that are free now. */
  get free(): number {
    return Math.max(0, this.#options.most - this.#working);
  }

  /** A place for one courier; null: there is none. */
  take(): Place | null {
    if (this.free === 0) return null;
    this.#working++;
    const { clock } = this.#options;
    const place = new Place(clock, PATIENCE, {
      stuck: () => this.#stuck(place),
      moving: () => {
        // For a moment there may be more than allowed; nobody new begins until there are less.
        if (this.#waiting.delete(place)) this.#working++;
      },
      left: () => {
        if (!this.#waiting.delete(place)) this.#working--;
        this.#options.room();
      },
    });
    return place;
  }

  /** @returns whether it waits beside the others now */
  #stuck(place: Place): boolean {
    const { waiting, crowded, room } = this.#options;
    if (this.#waiting.size >= waiting) {
      const longest = crowded() ? [...this.#waiting].find((each) => each.mayBeCut) : undefined;
      if (longest === undefined) return false;
      longest.cut();
    }
    this.#waiting.add(place);
    this.#working--;
    room();
    return true;
  }
}

interface Events {
  /** Nothing has come of it for a while; true: no need to ask again before something does. */
  stuck(): boolean;
  moving(): void;
  left(): void;
}

/** One courier's right to one connection. */
export class Place {
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #events: Events;
  #moved: number;
  #aside = false;
  #opening: AbortController | null = null;
  #connection: Closable | null = null;
  #cancel: () => void;
  #isCut = false;

  constructor(clock: Clock, patience: number, events: Events) {
    this.#clock = clock;
    this.#patience = patience;
    this.#events = events;
    this.#moved = clock.now();
    this.#cancel = clock.after(patience, () => this.#look());
  }

  /** It was taken away: begin nothing more. */
  get isCut(): boolean {
    return this.#isCut;
  }

  get mayBeCut(): boolean {
    const limit = this.#connection === null ? UNDISTURBED.opening : UNDISTURBED.transaction;
    return !this.#isCut && this.#clock.now() - this.#moved >= limit;
  }

  /** A connection is about to be opened; the signal ends that. */
  opening(): AbortSignal {
    this.#opening = new AbortController();
    return this.#opening.signal;
  }

  /** This connection is in use now; null: none is. */
  uses(connection: Closable | null): void {
    this.#opening = null;
    this.#connection = connection;
    if (connection !== null) this.progress();
  }

  /** Something came of it. */
  progress(): void {
    this.#moved = this.#clock.now();
    if (!this.#aside) return;
    this.#aside = false;
    this.#events.moving();
    this.#cancel = this.#clock.after(this.#patience, () => this.#look());
  }

  cut(): void {
    this.#isCut = true;
    this.#opening?.abort();
    this.#connection?.destroy();
  }

  leave(): void {
    this.#cancel();
    this.#events.left();
  }

  #look(): void {
    const left = this.#moved + this.#patience - this.#clock.now();
    if (left <= 0 && this.#events.stuck()) {
      this.#aside = true;
      return;
    }
    this.#cancel = this.#clock.after(left > 0 ? left : this.#patience, () => this.#look());
  }
}
