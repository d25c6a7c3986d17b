// What strace wrote (-f -yy), as the calls that matter here: octets from and to a peer, writes to a file, syncs of it. In
// their order, with where each began and ended, since calls of several threads overlap.

/** Calls that move octets or sync a file, by what they do. */
const CALLS: Readonly<Record<string, 'in' | 'out' | 'sync'>> = {
  read: 'in',
  readv: 'in',
  recvfrom: 'in',
  recvmsg: 'in',
  write: 'out',
  writev: 'out',
  pwrite64: 'out',
  sendto: 'out',
  sendmsg: 'out',
  fdatasync: 'sync',
  fsync: 'sync',
};

/** For strace's `-e trace=`. */
export const TRACED = Object.keys(CALLS).join(',');

export interface Call {
  readonly kind: 'in' | 'out' | 'sync';
  /** What the descriptor is: a path, or the peer's port of a TCP connection. */
  readonly on: string | number;
  /** Lines of the trace: the call had not begun before `began`, and had ended by `ended`. */
  readonly began: number;
  readonly ended: number;
  /** What it returned: octets, or 0. */
  readonly result: number;
}

/** The calls that succeeded, by where they ended. */
export function callsOf(trace: string): Call[] {
  const calls: Call[] = [];
  /** Calls under way, by thread. */
  const open = new Map<string, Pick<Call, 'kind' | 'on' | 'began'>>();
  for (const [line, text] of trace.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(text) ?? [];
    const [, name = '', descriptor = ''] = /^(\w+)\(\d+<(.*?)>(?:,|\)| <unfinished)/.exec(rest) ?? [];
    const kind = CALLS[name];
    if (kind !== undefined) open.set(thread, { kind, on: peerOf(descriptor), began: line });
    const call = open.get(thread);
    if (call === undefined || rest.endsWith('<unfinished ...>')) continue;
    open.delete(thread);
    const result = Number(/ = (-?\d+)/.exec(rest.slice(rest.lastIndexOf(') ')))?.[1] ?? -1);
    if (result >= 0) calls.push({ ...call, ended: line, result });
  }
  return calls;
}

/** `TCP:[127.0.0.1:25->127.0.0.1:50000]` as 50000, whatever else as it is. */
function peerOf(descriptor: string): string | number {
  const port = /^TCP(?:v6)?:\[.*->.*:(\d+)\]$/.exec(descriptor)?.[1];
  return port === undefined ? descriptor : Number(port);
}

/** One turn of a conversation: all that was read before something was written, and the writing. */
export interface Turn {
  readonly octets: number;
  /** Where the last of it had been read, and where the answer began. */
  readonly read: number;
  readonly answered: number;
}

/** The turns of one connection. */
export function turnsOf(calls: readonly Call[], port: number): Turn[] {
  const turns: Turn[] = [];
  let octets = 0;
  let read = -1;
  for (const call of calls) {
    if (call.on !== port) continue;
    if (call.kind === 'in') {
      octets += call.result;
      read = call.ended;
    } else if (octets > 0) {
      turns.push({ octets, read, answered: call.began });
      octets = 0;
    }
  }
  return turns;
}

/** True if between reading and answering the store's log, or the store itself, was written and then synced. */
export function isSynced(calls: readonly Call[], { read, answered }: Turn): boolean {
  const between = calls.filter(
    (call) =>
      typeof call.on === 'string' && call.began > read && call.ended < answered && /\/mail\.db(?:-wal)?$/.test(call.on),
  );
  return between.some(
    (sync) =>
      sync.kind === 'sync' && between.some((put) => put.kind === 'out' && put.on === sync.on && put.ended < sync.began),
  );
}
