// A body on its way in: how much of it is in memory, and how much is under way.

import { expect, it } from 'vitest';
import { BodyStaging, StagingBudget } from '../../src/store/front/staging.ts';
import { Limit } from '../../src/store/limits.ts';

it('holds no body whole, and waits for the store', async () => {
  const budget = new StagingBudget(100_000_000, 100_000_000);
  const stored: (() => void)[] = [];
  let octets = 0;
  let most = 0;
  const staging = new BodyStaging(budget, {
    chunk: (_, place, chunk) => {
      expect(place * Limit.chunkOctets).toBe(octets);
      octets += chunk.length;
      return new Promise((resolve) => stored.push(resolve));
    },
    discard: () => {},
    finished: () => {},
  });
  const piece = new Uint8Array(50_021);
  let written = 0;
  let done = false;
  const writer = (async () => {
    for (; written < 20_000_000; written += piece.length) {
      await staging.write(piece);
      most = Math.max(most, budget.memory);
    }
    done = true;
  })();
  while (!done) {
    await new Promise((resolve) => setImmediate(resolve));
    expect(stored.length).toBeLessThanOrEqual(Limit.stagingWindow);
    stored.shift()?.();
  }
  await writer;
  const body = staging.finish();
  expect(octets + body.tail.length).toBe(written);
  expect(body.size).toBe(written);
  expect(most).toBeLessThanOrEqual(Limit.tailOctets + piece.length);
  staging.discard();
  expect([budget.staged, budget.memory]).toEqual([0, 0]);
});

it('sends bodies ahead earlier where all together hold much', async () => {
  const budget = new StagingBudget(1_000_000_000, 1_000_000_000);
  const line = { chunk: async () => {}, discard: () => {}, finished: () => {} };
  const bodies = Array.from({ length: 400 }, () => new BodyStaging(budget, line));
  for (const body of bodies) await body.write(new Uint8Array(200_000));
  expect(budget.memory).toBeLessThan(Limit.stagingMemory + bodies.length * Limit.chunkOctets);
});
