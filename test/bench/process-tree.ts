// What a server costs, read from /proc for a process and all its descendants: CPU time, and memory that is its own (PSS).
// Linux only.

import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: what /proc/<pid>/stat counts in; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface Process {
  readonly parent: number;
  /** Of itself, and of children that ended and were waited for. */
  readonly ticks: number;
}

function processes(): Map<number, Process> {
  const found = new Map<number, Process>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    // The name in parentheses may hold spaces: fields are counted from behind it. 4th is the parent, 14th to 17th are
    // the user and system time of itself, then of its reaped children.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    if (stat !== '') found.set(Number(name), { parent: fields[1] ?? 0, ticks: sum(fields.slice(11, 15)) });
  }
  return found;
}

/** The roots and everything below them, as far as it still runs. */
export function descendants(roots: readonly number[]): number[] {
  const all = processes();
  const wanted = new Set(roots.filter((pid) => all.has(pid)));
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, { parent }] of all) {
      if (wanted.has(parent) && !wanted.has(pid)) {
        wanted.add(pid);
        grown = true;
      }
    }
  }
  return [...wanted];
}

/** CPU seconds used so far. */
export function cpuSeconds(roots: readonly number[]): number {
  const all = processes();
  return sum(descendants(roots).map((pid) => all.get(pid)?.ticks ?? 0)) / TICKS_PER_SECOND;
}

/** Proportional set size in MiB: shared pages are counted by their share. */
export function memoryMiB(roots: readonly number[]): number {
  const octets = descendants(roots).map((pid) => {
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  });
  return sum(octets) / 1024 / 1024;
}

/** A file of /proc, or nothing if its process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
