// What comes to the writer in parcels leaves its inbox in the same order, as transactions that hold no more than commands.

import { MessageChannel } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { Limit } from '../../src/store/limits.ts';
import type { Request, ToWriter, ViewStep } from '../../src/store/protocol.ts';
import { Inbox } from '../../src/store/writer/inbox.ts';

const request = (id: number): Request => ({ id, now: 0, command: { kind: 'discard', stage: id } });
const tick: ToWriter = { id: 'tick', now: 1 };
const close: ToWriter = { id: 'close' };

function begin(...waiting: readonly (readonly ToWriter[])[]) {
  const { port1, port2 } = new MessageChannel();
  for (const parcel of waiting) port1.postMessage(parcel);
  const views: ViewStep[] = [];
  return { inbox: new Inbox(port2, (step) => views.push(step)), views, end: () => port1.close() };
}

it('joins the commands of all parcels that are there', () => {
  const { inbox, end } = begin([request(2), request(3)], [request(4)]);
  inbox.put([request(0), request(1)]);
  expect(inbox.held()).toEqual(request(0));
  expect(inbox.batch(request(0))).toEqual([0, 1, 2, 3, 4].map(request));
  expect(inbox.next()).toBeUndefined();
  end();
});

it('stops at what is no command, and goes on behind it', () => {
  const { inbox, end } = begin([tick, request(1)], [close]);
  expect(inbox.batch(request(0))).toEqual([request(0)]);
  expect(inbox.held()).toEqual(tick);
  expect(inbox.held()).toEqual(request(1));
  expect(inbox.batch(request(1))).toEqual([request(1)]);
  expect(inbox.held()).toEqual(close);
  end();
});

it('leaves what is more than a transaction for the next one', () => {
  const { inbox, end } = begin();
  const all = Array.from({ length: Limit.batchCommands + 1 }, (_, id) => request(id));
  inbox.put(all);
  expect(inbox.batch(inbox.held() as Request)).toHaveLength(Limit.batchCommands); // the first of them is one
  expect(inbox.held()).toEqual(request(Limit.batchCommands));
  expect(inbox.held()).toBeUndefined();
  end();
});

it('lets nothing wait that becomes of a view, and no transaction end at it', () => {
  const view = (step: 'opened' | 'closed', id: number) =>
    ({ id: 'view', view: id, step, ...(step === 'opened' && { mailbox: 1, told: 1 }) }) as unknown as ViewStep;
  const { inbox, views, end } = begin(
    [request(1), view('opened', 1)],
    [view('opened', 2)],
    [request(2), view('closed', 1)],
  );
  expect(inbox.batch(request(0))).toEqual([0, 1, 2].map(request));
  expect(views).toEqual([view('opened', 1), view('opened', 2), view('closed', 1)]);
  inbox.put([request(3), view('closed', 2)]);
  expect(views).toHaveLength(4);
  expect(inbox.open()).toBe(true);
  expect(inbox.next()).toEqual(request(3));
  expect(inbox.open()).toBe(false);
  end();
});
