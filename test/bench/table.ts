// The table of a comparison: medians, ratio, goal, verdict. A row without sound figures on both sides has no ratio.

import type { Goal } from './figures.ts';
import type { Measured } from './measured.ts';
import { median, round } from './statistics.ts';

/** Why nothing may be compared with this server's figures for a work; empty: it may. */
function doubts(measured: Measured, work: string): string[] {
  const results = measured.rounds.get(work) ?? [];
  const { messages, syncs } = measured.syncs ?? { messages: 0, syncs: 0 };
  return [
    ...results.flatMap((each) => each.unsound),
    ...(syncs < messages ? [`${measured.server} synced ${syncs} times for ${messages} messages`] : []),
  ];
}

/** Where the rounds of both did not all come to the same. */
function disagreement(postern: Measured, peer: Measured, work: string): string[] {
  const results = [postern, peer].flatMap((each) => each.rounds.get(work) ?? []).map((each) => each.results ?? {});
  const differing = Object.keys(results[0] ?? {}).filter((name) => new Set(results.map((each) => each[name])).size > 1);
  return differing.map(
    (name) => `results differ: ${name} ${[...new Set(results.map((each) => each[name]))].join(' and ')}`,
  );
}

const value = (measured: Measured, goal: Goal): number =>
  median((measured.rounds.get(goal.work) ?? []).map((each) => each.values[goal.value] ?? Number.NaN));

const bounds: Readonly<Record<Goal['kind'], (goal: Goal) => string>> = {
  times: (goal) => `at least ${goal.bound} times`,
  part: (goal) => `at most ${goal.bound} of it`,
  most: (goal) => `at most ${goal.bound} ${goal.unit}`,
};

/** @returns the table in Markdown, and whether every goal that was measured is reached on sound figures */
export function tableOf(postern: Measured, peer: Measured, goals: readonly Goal[]): { text: string; reached: boolean } {
  const lines = [
    `| work | ${peer.server} ${peer.version} | ${postern.server} ${postern.version} | ratio | goal | reached |`,
    '|---|---|---|---|---|---|',
  ];
  let reached = true;
  for (const goal of goals.filter((each) => postern.rounds.has(each.work))) {
    const [ours, theirs] = [value(postern, goal), value(peer, goal)];
    const why = [...doubts(postern, goal.work), ...doubts(peer, goal.work), ...disagreement(postern, peer, goal.work)];
    const ratio = ours / theirs;
    const good =
      why.length === 0 &&
      (goal.kind === 'times' ? ratio >= goal.bound : goal.kind === 'part' ? ratio <= goal.bound : ours <= goal.bound);
    reached &&= good;
    const shown = why.length > 0 ? `none: ${why.join(', ')}` : `${round(ratio, ratio < 1 ? 3 : 1)}`;
    const cells = [
      goal.title,
      `${round(theirs)} ${goal.unit}`,
      `${round(ours)} ${goal.unit}`,
      shown,
      bounds[goal.kind](goal),
    ];
    lines.push(`| ${cells.join(' | ')} | ${good ? 'yes' : 'no'} |`);
  }
  return { text: lines.join('\n'), reached };
}
