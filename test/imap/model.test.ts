// Random commands on 2 to 20 connections against the model of a mailbox (test/imap/model), which knows nothing of the
// sources. Every untagged reply is checked. Five runs of 2,000 steps; MODEL_STEPS makes each longer (200000: a million in
// all), MODEL_SEED gives others.

import { expect, test } from 'vitest';
import type { Uid } from '../../src/store/rows.ts';
import { ImapClient } from '../clients/imap.ts';
import { Random } from '../fuzz/random.ts';
import { openGate, PASSWORD } from './gate.ts';
import { Mailbox } from './model/mailbox.ts';
import { type Memory, remember, resume, witness } from './model/memory.ts';
import { Player } from './model/player.ts';

const STEPS = Number(process.env.MODEL_STEPS ?? 2_000);
const SEED = Number(process.env.MODEL_SEED ?? 1);
const RUNS = [2, 5, 9, 14, 20].map((connections, run) => ({ run: run + 1, connections }));
/** More than that many messages are thinned out: the model is simple, and not fast. */
const MESSAGES = 40;

test.each(RUNS)('run $run: what $connections connections are told is so', { timeout: 7_200_000 }, async (options) => {
  const { run, connections } = options;
  await using gate = await openGate();
  const random = new Random(SEED * 1_000 + run);
  const mailbox = new Mailbox();
  const open = () => ImapClient.open({ port: gate.port }, { user: 'alice@example.test', password: PASSWORD });
  const join = async () => {
    const player = new Player(await open(), new Random(random.next()), mailbox);
    await player.select();
    return player;
  };
  const away = new Map<Player, Memory>();
  const players: Player[] = [];
  for (let i = 0; i < connections; i++) players.push(await join());
  const eye = await join();
  await eye.client.done('EXAMINE INBOX (CONDSTORE)');

  let acting = eye;
  const step = async (): Promise<string> => {
    const player = random.pick(players);
    acting = player;
    const memory = away.get(player);
    if (memory) {
      if (!random.once(3)) return 'away';
      away.delete(player);
      await resume(player, memory);
      return 'back';
    }
    const kind = random.below(60);
    const here = players.filter((each) => !away.has(each));
    const other = random.pick(here);
    if (kind === 0) {
      await witness(eye);
      await Promise.all(
        here.map(async (each) => {
          for (let more = each.random.between(1, 3); more > 0 && each.belief.slots.length > 0; more--)
            await each.scramble();
        }),
      );
      await witness(eye);
      for (const each of here) {
        acting = each;
        await each.settle();
      }
      return 'all at once';
    }
    if (kind < 3 && here.length > 1) {
      const memory = await remember(player);
      away.set(player, memory);
      const how = random.pick(['broken', 'unselected', 'selected']);
      if (how === 'broken') {
        player.client.link.destroy();
        player.client = await open();
        player.belief.qresync = false;
      } else if (how === 'unselected') await player.client.done('UNSELECT');
      if (!player.belief.qresync) await player.client.done('ENABLE QRESYNC');
      player.belief.qresync = true;
      player.belief.condstore = true;
      return 'leaves';
    }
    if (kind < 6 && other !== player) {
      await player.idle(other);
      return 'idles';
    }
    if (kind === 6) {
      const text = `${random.next()}\r\n`;
      const [uid = 0] = await gate.fill('INBOX', [`Subject: delivered\r\n\r\n${text}`]);
      mailbox.arrive(uid, text, []);
      return 'delivery';
    }
    if (kind === 7 && mailbox.living.length > 0) {
      // As POP3 does at QUIT, or a verb: by no session of IMAP, and whatever the flags are.
      const uids = mailbox.living
        .filter(() => random.once(8))
        .map(({ uid }) => uid as Uid /* as the server named it */);
      const id = (await gate.store.read.mailboxByName(gate.alice, 'INBOX'))?.id;
      if (id === undefined) throw new Error('there is no INBOX');
      await gate.store.execute({ kind: 'expunge', mailbox: id, uids, force: true, view: null });
      mailbox.expunge(uids);
      return 'another door';
    }
    if (mailbox.living.length > MESSAGES && !player.readOnly) {
      await player.thin();
      return 'thins';
    }
    await player.act();
    return 'acts';
  };
  const kinds = new Map<string, number>();
  for (let i = 0; i < STEPS; i++) {
    try {
      const kind = await step();
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`run ${run}, step ${i}: ${what}\n${acting.belief.lines.join('\n')}`, { cause: error });
    }
    if (i % 1_000 === 0) gate.forget();
  }
  // Nothing of this was for nothing.
  expect(mailbox.dead.size).toBeGreaterThan(STEPS / 20);
  for (const kind of ['back', 'idles', 'delivery', 'another door', 'all at once', 'acts'])
    expect(kinds.get(kind), kind).toBeGreaterThan(0);
  for (const player of players) player.client.link.destroy();
});
