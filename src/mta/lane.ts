// The due mail of one destination: read in pages, tried by a few couriers side by side that share its connections, each
// entry in one hand at a time. A lane ends when nothing more is due for its destination.

import { type Clock, pause } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { EntryId, EntryRow, TransitId } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import type { Place } from './connections.ts';
import { isNotice, type Notices } from './notices.ts';
import type { Pace } from './pace.ts';
import { deliver, logResult, type RelayOptions, type Result, type Task, withoutTrying } from './relay.ts';
import type { Released } from './release.ts';
import type { Route, Router } from './route.ts';
import { wishesOf } from './security/facts.ts';
import { onlyWarning, type Schedule, type Verdict, verdictOf, warning } from './settlement.ts';

/** What the lanes share. */
export interface LaneOptions {
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly router: Router;
  readonly relay: RelayOptions;
  readonly schedule: Schedule;
  readonly settle: (verdicts: readonly Verdict[]) => Promise<void>;
  readonly notices: Notices;
  /** Delivers what of a task is for mailboxes here; what is left is relayed. */
  readonly deliverHere: (task: Task) => Promise<Released>;
  /** One more connection in all; null: not now. */
  readonly acquire: () => Place | null;
  /** True when others wait for a connection, so that a lane must not keep its own for ever. */
  readonly crowded: () => boolean;
}

/** Entries read at a time: as many recipients as every server takes at once (RFC 5321 §4.5.3.1.8), and no more in memory. */
const PAGE = 100;
/** Messages that a courier brings before it makes room for another destination. */
const SHIFT = 100;
/** ms, more or less by a half, that a host's other connections are given to end, and how often before mail is put off. */
const TURN = 2_000;
const TURNS = 30;
/** Pages of notices under way before a destination that fails without being asked is read further. */
const TELLING = 10;
/** ms that a route is believed without asking again. */
const ROUTE_AGE = 60_000;

export class Lane {
  readonly #destination: string;
  readonly #options: LaneOptions;
  readonly #pace: Pace;
  readonly #tasks: Task[] = [];
  /** Entries in `#tasks`, in a courier's hand, or on their way to the disk, and whose they are. */
  readonly #taken = new Map<EntryId, TransitId>();
  /** Results on their way to the disk, and notices, for which no courier waits. */
  readonly #settling = new Set<Promise<void>>();
  readonly #telling = new Set<Promise<void>>();
  /** Waits, one after another, for a host that is busy with others. */
  #turns = 0;
  #reading: Promise<void> | null = null;
  /** A page that was read before an operator's change is of no use. */
  #edition = 0;
  /** Something may have fallen due since the last page. */
  #nudged = true;
  #couriers = 0;
  #route: { readonly route: Route; readonly at: number } | null = null;
  #stopping = false;
  #failed = false;
  #over = false;
  readonly #ended = Promise.withResolvers<boolean>();

  constructor(destination: string, pace: Pace, options: LaneOptions) {
    this.#destination = destination;
    this.#pace = pace;
    this.#options = options;
  }

  /** Works until nothing is due, and tells whether all went well. Never rejects. @param place of the first courier */
  run(place: Place): Promise<boolean> {
    this.#start(place);
    return this.#ended.promise;
  }

  /** Something has been put into the queue, or fallen due. */
  nudge(): void {
    this.#nudged = true;
    this.#tend();
  }

  /** An operator has changed something: what no courier has in hand is read again. */
  reconsider(): void {
    for (const { entries } of this.#tasks.splice(0)) this.#letGo(entries);
    this.#edition++;
    this.nudge();
  }

  /** Begins nothing any more; what is under way goes on. */
  stop(): void {
    this.#stopping = true;
  }

  #start(place: Place): void {
    this.#couriers++;
    void this.#courier(place).then(() => {
      this.#couriers--;
      place.leave();
      this.#tend();
    });
  }

  /** Where no courier is left: begins again if there is more, or ends. Not before all is on the disk, since nobody else may
   * see as due what is about to be settled. */
  #tend(): void {
    const { crowded, acquire } = this.#options;
    if (this.#couriers > 0 || this.#over) return;
    const more = this.#tasks.length > 0 || this.#nudged;
    const place = more && !this.#ending && !crowded() ? acquire() : null;
    if (place !== null) {
      this.#start(place);
    } else if (this.#settling.size + this.#telling.size === 0) {
      this.#over = true;
      this.#letGo([...this.#taken.keys()].map((id) => ({ id })));
      this.#ended.resolve(!this.#failed);
    }
  }

  async #courier(place: Place): Promise<void> {
    try {
      for (let brought = 0; !this.#ending; brought++) {
        if (brought >= SHIFT && this.#options.crowded()) return;
        if (this.#couriers > this.#pace.limit || place.isCut) return;
        const task = await this.#next();
        if (task === undefined || !(await this.#bring(task, place))) return;
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The entries stay due, and come again with the next page or the next start. */
  #fail(error: unknown): void {
    if (!this.#stopping) this.#options.log.error({ err: error, destination: this.#destination }, 'relaying failed');
    this.#failed = true;
  }

  /** Resolves when what was told until now is durable; to false if it is not. Never rejects. */
  async #settled(): Promise<boolean> {
    await Promise.all(this.#settling);
    return !this.#failed;
  }

  get #ending(): boolean {
    return this.#stopping || this.#failed;
  }

  async #next(): Promise<Task | undefined> {
    while (this.#tasks.length === 0 && this.#nudged && !this.#ending) {
      if (this.#telling.size >= TELLING) {
        // Nothing else would keep what fails without being asked from being read whole.
        await Promise.race(this.#telling);
        continue;
      }
      this.#reading ??= this.#read().finally(() => {
        this.#reading = null;
      });
      await this.#reading;
    }
    return this.#ending ? undefined : this.#tasks.shift();
  }

  /** Reads a page and groups what is new in it by message. */
  async #read(): Promise<void> {
    const { store, clock, notices } = this.#options;
    this.#nudged = false;
    const now = clock.now();
    const edition = this.#edition;
    const rows = await store.read.queue.due(this.#destination, now, PAGE, this.#taken.keys());
    if (edition !== this.#edition) return;
    const tasks = new Map<TransitId, { transit: Task['transit']; entries: EntryRow[] }>();
    const warnings: Verdict[] = [];
    for (const { entry, transit } of rows) {
      this.#taken.set(entry.id, transit.id);
      notices.take(transit.id);
      if (onlyWarning(entry, now)) {
        warnings.push(warning({ transit, entries: [entry] }, entry, now));
        continue;
      }
      const task = tasks.get(transit.id);
      if (task === undefined) tasks.set(transit.id, { transit, entries: [entry] });
      else task.entries.push(entry);
    }
    this.#tasks.push(...byPriority([...tasks.values()]));
    // A full page may not have been the last one.
    if (rows.length === PAGE && (tasks.size > 0 || warnings.length > 0)) this.#nudged = true;
    if (warnings.length > 0) this.#settleLater(warnings);
  }

  /** Tries one task. Returns false where this courier is of no more use. */
  async #bring(due: Task, place: Place): Promise<boolean> {
    const { relay, clock, deliverHere } = this.#options;
    const edition = this.#edition;
    const { left: task, results: gone } = await deliverHere(due);
    const others = new Set([...(task?.entries ?? []), ...gone.map(({ entry }) => entry)]);
    this.#letGo(due.entries.filter((entry) => !others.has(entry)));
    this.#finishLater(gone);
    if (task === null) return true;
    const route = await this.#way();
    if (route.kind === 'none') {
      const all = [task, ...this.#tasks.splice(0)];
      this.#finishLater(all.flatMap((each) => withoutTrying(each, route.outcome, null, clock)));
      await this.#settled();
      return true;
    }
    const before = this.#settled();
    for await (const { results, reached, busy } of deliver(relay, task, route.hosts, () => this.#settled(), place)) {
      if (reached) {
        place.progress();
        this.#turns = 0;
      }
      // No courier runs further ahead of the disk than one message.
      await before;
      const [first] = results;
      if (!reached && this.#couriers > 1) {
        // Others get through: one connection too many, not a dead host.
        this.#putBack(task, edition);
        this.#pace.refused(this.#couriers - 1);
        return false;
      }
      if (!reached && busy && !this.#ending && this.#turns < TURNS) {
        this.#turns++;
        this.#putBack(task, edition);
        await this.#turn();
        return true;
      }
      // Closed under our hands: what got no answer stays as it is.
      const standing = this.#stopping ? results.filter(({ outcome }) => outcome.kind !== 'deferred') : [...results];
      if (!reached && !this.#stopping && first !== undefined) {
        const others = this.#takeOrdinary();
        standing.push(...others.flatMap((each) => withoutTrying(each, first.outcome, first.attempt, clock)));
      }
      this.#finishLater(standing);
      this.#learn(results, reached && !place.isCut);
    }
    return true;
  }

  /** Takes the tasks out that fare as any other does: all but those that ask for more or less protection (RFC 8689). */
  #takeOrdinary(): readonly Task[] {
    const all = this.#tasks.splice(0);
    const special = ({ transit }: Task) => wishesOf(transit).requireTls || wishesOf(transit).tlsOptional;
    this.#tasks.push(...all.filter(special));
    return all.filter((task) => !special(task));
  }

  /** Not tried now; if an operator has changed something since it was taken in hand, it is read again. */
  #putBack(task: Task, edition: number): void {
    if (edition === this.#edition) {
      this.#tasks.unshift(task);
      return;
    }
    this.#letGo(task.entries);
    this.#nudged = true;
  }

  /** Mail for another destination has all the connections that a host bears: a moment until one may be free. */
  #turn(): Promise<void> {
    const { clock, schedule } = this.#options;
    return pause(clock, TURN * (0.5 + schedule.random()));
  }

  /** A host that closes (421) or is gone bears less; one that takes mail or says no to it bears more: another courier, where
   * there is work for it and room. */
  #learn(results: readonly Result[], reached: boolean): void {
    if (!reached || results.some(({ outcome }) => outcome.reply?.code === 421)) {
      this.#pace.failed();
      return;
    }
    this.#pace.succeeded();
    if (this.#ending || this.#tasks.length <= this.#couriers || this.#couriers >= this.#pace.limit) return;
    const place = this.#options.crowded() ? null : this.#options.acquire();
    if (place !== null) this.#start(place);
  }

  async #way(): Promise<Route> {
    const { router, clock } = this.#options;
    const known = this.#route;
    if (known !== null && clock.now() - known.at < ROUTE_AGE) return known.route;
    const found = await router(this.#destination);
    // A DNS that fails for a moment does not put off the mail of hosts that were found a moment ago.
    const lost = found.kind === 'none' && found.outcome.kind === 'deferred';
    const route = lost && known?.route.kind === 'hosts' ? known.route : found;
    this.#route = { route, at: clock.now() };
    return route;
  }

  /** Settles while the next message is begun. */
  #finishLater(results: readonly Result[]): void {
    const { log, schedule, clock } = this.#options;
    for (const result of results) logResult(log, result);
    const now = clock.now();
    this.#settleLater(results.map((result) => verdictOf(result, schedule, now)));
  }

  #settleLater(verdicts: readonly Verdict[]): void {
    const { settle, notices } = this.#options;
    const others = verdicts.filter((verdict) => !isNotice(verdict));
    if (others.length > 0) this.#settleIn(this.#settling, others, settle(others));
    const told = verdicts.filter(isNotice);
    if (told.length > 0) this.#settleIn(this.#telling, told, notices.settle(told));
  }

  #settleIn(under: Set<Promise<void>>, verdicts: readonly Verdict[], written: Promise<void>): void {
    const settling = written
      .then(() => this.#letGo(verdicts.map(({ settlement }) => ({ id: settlement.entry }))))
      .catch((error) => this.#fail(error))
      .finally(() => {
        under.delete(settling);
        this.#tend();
      });
    under.add(settling);
  }

  #letGo(entries: readonly Pick<EntryRow, 'id'>[]): void {
    for (const { id } of entries) {
      const transit = this.#taken.get(id);
      if (transit !== undefined && this.#taken.delete(id)) this.#options.notices.letGo(transit);
    }
  }
}

/** RFC 6710 §5.1: of what is due, the most urgent first, in its order. */
function byPriority(tasks: readonly Task[]): readonly Task[] {
  const priority = ({ transit }: Task): number => transit.parameters.priority ?? 0;
  if (tasks.every((task) => priority(task) === 0)) return tasks;
  return tasks.toSorted((one, other) => priority(other) - priority(one));
}
