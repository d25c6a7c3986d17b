// Parcels on their way to the writer: what goes together, and what becomes of a command that no message can carry.

import { expect, it } from 'vitest';
import { Feed } from '../../src/store/front/feed.ts';
import { ViewLine } from '../../src/store/front/view-line.ts';
import { WriterLine } from '../../src/store/front/writer-line.ts';
import type { ToWriter } from '../../src/store/protocol.ts';
import type { Commit, MailboxId } from '../../src/store/rows.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function begin() {
  const parcels: (readonly ToWriter[])[] = [];
  const transfers: (readonly ArrayBuffer[])[] = [];
  const unsendable: ToWriter[] = [];
  const post = {
    postMessage(parcel: readonly ToWriter[], transfer: readonly ArrayBuffer[]) {
      // As a port does it: a copy, or an error.
      parcels.push(structuredClone(parcel));
      transfers.push(transfer);
    },
  };
  const line = new WriterLine(post, (message) => unsendable.push(message));
  return { line, parcels, transfers, unsendable };
}

const tick = (now: number): ToWriter => ({ id: 'tick', now });

it('sends all of one turn together, in order, and its memory along', async () => {
  const { line, parcels, transfers } = begin();
  const memory = new ArrayBuffer(8);
  line.send(tick(1));
  line.send(tick(2), [memory]);
  expect(parcels).toEqual([]);
  await turn();
  line.send(tick(3));
  await turn();
  expect(parcels).toEqual([[tick(1), tick(2)], [tick(3)]]);
  expect(transfers).toEqual([[memory], []]);
});

it('sends at once what must be there first, behind what waits', async () => {
  const { line, parcels } = begin();
  line.send(tick(1));
  line.sendNow(tick(2));
  expect(parcels).toEqual([[tick(1), tick(2)]]);
  line.send(tick(3));
  await turn();
  expect(parcels).toEqual([[tick(1), tick(2)], [tick(3)]]);
});

it('sends the others where one cannot be sent', async () => {
  const { line, parcels, unsendable } = begin();
  // No plain value: the types forbid it, and still nobody is to wait for ever.
  const bad = { id: 7, now: 0, command: { kind: 'discard', stage: () => 1 } } as unknown as ToWriter;
  line.send(tick(1));
  line.send(bad);
  line.send(tick(2));
  await turn();
  expect(parcels).toEqual([[tick(1)], [tick(2)]]);
  expect(unsendable).toEqual([bad]);
});

it('tells the writer of a view before anything can be read for it, and what becomes of it in order', async () => {
  const { line, parcels } = begin();
  const views = new ViewLine(line, new Feed(7 as Commit));
  line.send(tick(1));
  const { view, commit } = views.open(3 as MailboxId);
  // No turn has passed in which a read could begin.
  expect(parcels).toEqual([[tick(1), { id: 'view', view, step: 'opened', mailbox: 3, told: 7 }]]);
  expect(commit).toBe(7);
  views.acknowledge(view, 8 as Commit);
  views.close(view);
  await turn();
  expect(parcels[1]).toEqual([
    { id: 'view', view, step: 'told', told: 8 },
    { id: 'view', view, step: 'closed' },
  ]);
});
