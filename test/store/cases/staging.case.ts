// Bodies on their way in: octet-exact, in chunks, bounded.

import { describe, expect, it } from 'vitest';
import { account, bodyOctets, delivery, mailboxOf } from '../mail.ts';
import { eachStore, type Harness } from './harness.ts';

const facts = { headerSize: 0, messageId: null, references: [] };

export function stagingCases(harness: Harness): void {
  describe('staging', () => {
    const given = eachStore(harness);

    it('bounds one body and all of them, and frees what is discarded', async () => {
      const { place } = given;
      await given.store.close();
      const store = await place.open({ stagingPerSession: 1_000_000, stagingTotal: 1_500_000 });
      const one = store.stage();
      await one.write(new Uint8Array(900_000));
      await expect(one.write(new Uint8Array(100_001))).rejects.toMatchObject({ kind: 'full' });
      const other = store.stage();
      await other.write(new Uint8Array(600_000));
      await expect(other.write(new Uint8Array(1))).rejects.toMatchObject({ kind: 'busy' });
      one.discard();
      one.discard();
      await other.write(new Uint8Array(1));
      expect(other.size).toBe(600_001);
      other.finish();
      await expect(other.write(new Uint8Array(1))).rejects.toMatchObject({ kind: 'refused' });
      other.discard();
      const whole = store.stage();
      await whole.write(new Uint8Array(1_000_000));
      whole.discard();
    });

    it('takes messages of one command ahead where many wait for it, octet for octet', { timeout: 30_000 }, async () => {
      const { store } = given;
      const { id } = await mailboxOf(store, await account(store));
      // More than stays in memory; odd sizes, so that the last chunks are short, also none at all.
      const sizes = Array.from({ length: 200 }, (_, at) => (at % 3 === 0 ? 196_608 : 200_001 + at));
      const contents = sizes.map((size, at) => new Uint8Array(size).fill(97 + (at % 26)));
      const stagings = [];
      for (const content of contents) {
        const staging = store.stage();
        await staging.write(content);
        await staging.rest();
        stagings.push(staging);
      }
      const bodies = stagings.map((staging) => staging.finish());
      expect(bodies.filter(({ tail }) => tail.length === 0).length).toBeGreaterThan(10);
      const label = { flags: 0, keywords: [], internalDate: 0, internalZone: 0 };
      const messages = bodies.map((body) => ({ ...label, body, facts }));
      const { uids } = await store.execute({ kind: 'append', mailbox: id, now: 1, messages, view: null });
      const { rows } = await store.read.messages(id, uids);
      for (const [at, row] of rows.entries()) {
        expect(row.size).toBe(sizes[at]);
        expect(Buffer.from(await bodyOctets(store, row.body, row.size)).equals(contents[at] ?? new Uint8Array())).toBe(
          true,
        );
      }
    });

    it('gives its room back when the command is done, well or not', async () => {
      const { place } = given;
      await given.store.close();
      const store = await place.open({ stagingPerSession: 400_000, stagingTotal: 400_000 });
      const alice = await account(store);
      for (const deliveries of [[delivery(alice)], [delivery(99 as never)], [delivery(alice)], []]) {
        const staging = store.stage();
        await staging.write(new Uint8Array(400_000));
        const command = { kind: 'accept', messageId: 'x', now: 1, dispatch: null, facts, deliveries } as const;
        await store.execute({ ...command, body: staging.finish() }).catch(() => {});
        staging.discard();
      }
    });

    it('takes a body octet by octet', async () => {
      const { store } = given;
      const alice = await account(store);
      const content = Uint8Array.from({ length: 3_000 }, (_, at) => (at * 31) % 256);
      const staging = store.stage();
      for (const octet of content) await staging.write(Uint8Array.of(octet));
      const command = { kind: 'accept', messageId: 'x', now: 1, dispatch: null, facts } as const;
      const { placed } = await store.execute({ ...command, deliveries: [delivery(alice)], body: staging.finish() });
      const [row] = (await store.read.messages(placed[0]?.mailbox ?? (0 as never), [1 as never])).rows;
      expect(Buffer.compare(await bodyOctets(store, row?.body ?? (0 as never), 3_000), content)).toBe(0);
      for (const [offset, length] of [
        [0, 1],
        [10, 300],
        [2_990, 99],
        [3_000, 5],
      ] as const) {
        const part = await store.read.body(row?.body ?? (0 as never), offset, length);
        expect([...part]).toEqual([...content.subarray(offset, offset + length)]);
      }
    });

    it('takes many bodies at once, piece by piece', async () => {
      const { store } = given;
      const alice = await account(store);
      await Promise.all(
        Array.from({ length: 8 }, async (_, at) => {
          const staging = store.stage();
          const size = 700_000 + at;
          for (let sent = 0; sent < size; ) {
            const piece = new Uint8Array(Math.min(33_333, size - sent)).fill(at + 1);
            sent += piece.length;
            await staging.write(piece);
          }
          const { placed } = await store.execute({
            kind: 'accept',
            body: staging.finish(),
            facts,
            messageId: 'x',
            now: 1,
            deliveries: [delivery(alice)],
            dispatch: null,
          });
          const [one] = placed;
          const { rows } = await store.read.messages(one?.mailbox ?? (0 as never), [one?.uid ?? (0 as never)]);
          expect(rows[0]?.size).toBe(size);
          const octets = await bodyOctets(store, rows[0]?.body ?? (0 as never), size);
          expect(octets.every((octet) => octet === at + 1)).toBe(true);
        }),
      );
    });
  });
}
