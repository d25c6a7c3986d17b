// Octets that are given to a writer for good: written whole, and their memory given back when they are, not before.

import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { SocketWriter } from '../../src/platform/socket-writer.ts';
import { Turn } from '../../src/platform/turn.ts';

const LIMITS = { unsent: 1_000_000, write: 100_000, writeTime: 60_000, parting: 1_000 };

/** A client that takes what is written when it is told to. */
function begin() {
  const taken: Buffer[] = [];
  const waiting: (() => void)[] = [];
  const socket = new Duplex({
    read: () => undefined,
    writev(chunks, done) {
      waiting.push(() => {
        for (const { chunk } of chunks) taken.push(Buffer.from(chunk)); // a copy
        done();
      });
    },
  });
  const writer = new SocketWriter(socket, systemClock, new Turn(1_000_000), LIMITS);
  return { writer, taken, take: () => waiting.shift()?.() };
}

const letters = (length: number, letter: string) => new Uint8Array(length).fill(letter.charCodeAt(0));

it('gives memory back that was written, and none before', async () => {
  const { writer, taken, take } = begin();
  const [given, kept] = [letters(40_000, 'g'), letters(40_000, 'k')];
  writer.text('head ');
  writer.give(given);
  writer.octets(kept);
  writer.text(' tail');
  writer.flush();
  expect(given.length).toBe(40_000);
  take();
  await new Promise((resolve) => setImmediate(resolve));
  expect([given.length, kept.length]).toEqual([0, 40_000]);
  expect(Buffer.concat(taken).toString()).toBe(`head ${'g'.repeat(40_000)}${'k'.repeat(40_000)} tail`);
});

it('leaves memory alone that others share', async () => {
  const { writer, taken, take } = begin();
  const whole = letters(80_000, 'w');
  writer.give(whole.subarray(0, 40_000));
  writer.flush();
  take();
  await new Promise((resolve) => setImmediate(resolve));
  expect([whole.length, Buffer.concat(taken).length]).toEqual([80_000, 40_000]);
});
