// STORE and UID STORE (RFC 3501 §6.4.6, RFC 7162 §3.1.3). What another session has changed meanwhile is told with it;
// .SILENT hides only what this client asked for itself.

import type { ModSeq, Uid } from '../../store/rows.ts';
import { bad, no, ok } from '../completion.ts';
import { storeFlags } from '../grammar/flags.ts';
import { storeModifiers } from '../grammar/resynchronisation.ts';
import { messageSet, uidSet } from '../grammar/sequence-set.ts';
import { LIMIT } from '../limits.ts';
import { flagReport } from '../render/flag-report.ts';
import type { View } from '../view.ts';
import { command, SELECTED, type Session } from './command.ts';
import { enableCondstore } from './enable.ts';

const MODES = { '': 'replace', '+': 'add', '-': 'remove' } as const;

/** store = "STORE" SP sequence-set [store-modifiers] SP store-att-flags
 * store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag))) */
export const store = command({
  name: 'STORE',
  states: SELECTED,
  uid: 'allowed',
  expunge: 'told in UID form',
  grammar(scanner) {
    scanner.space();
    const set = messageSet(scanner);
    scanner.space();
    const unchangedSince = scanner.atList ? storeModifiers(scanner) : null;
    if (unchangedSince !== null) scanner.space();
    const item = /^([+-]?)FLAGS(\.SILENT)?$/.exec(scanner.word('FLAGS'));
    if (!item) throw bad('STORE changes FLAGS, +FLAGS or -FLAGS');
    scanner.space();
    // The expression has matched one of the three.
    const sign = item[1] as keyof typeof MODES;
    return { set, unchangedSince, mode: MODES[sign], silent: item[2] !== undefined, flags: storeFlags(scanner) };
  },
  async run(session, { set, unchangedSince, mode, silent, flags }, byUid) {
    const { mailbox, store: messageStore, writer, enabled } = session;
    const { id, view } = mailbox;
    const uids = byUid ? view.resolveUids(set) : view.resolveSequences(set);
    const only = mailbox.rights.requireFlags(mode, flags);
    if (unchangedSince !== null) enableCondstore(session);
    let missing = 0;
    const modified: Uid[] = [];
    for (let at = 0; at < uids.length; at += LIMIT.flagsAtOnce) {
      await writer.ready();
      const page = uids.subarray(at, at + LIMIT.flagsAtOnce);
      const after = await messageStore.execute({
        kind: 'flags',
        mailbox: id,
        uids: Array.from(page) as Uid[], // the view holds nothing else
        mode,
        flags: flags.bits,
        keywords: only.keywords ? flags.keywords : [],
        only,
        unchangedSince: unchangedSince as ModSeq | null, // as a client says it
        view: view.id,
      });
      missing += page.length - after.uids.length - after.modified.length;
      for (const uid of after.modified) modified.push(uid as Uid /* as the store names it */);
      // RFC 7162 §3.1.3: MODSEQ is told also where the flags need not be.
      if (silent && !enabled.condstore) continue;
      after.uids.forEach((number, i) => {
        const uid = number as Uid; // as the store names it
        const state = {
          flags: after.flags[i] ?? 0,
          keywords: after.keywords?.[i] ?? [],
          modSeq: (after.modSeqs[i] ?? 0) as ModSeq, // as the store names it
        };
        if (!silent) mailbox.introduce(state.keywords);
        const told = { recent: view.isRecent(uid), silent, withUid: byUid };
        if (enabled.condstore) view.shownModSeq = Math.max(view.shownModSeq, state.modSeq);
        writer.line(flagReport({ sequence: view.sequenceOf(uid), uid }, state, told, enabled));
        if (!silent) view.flagsTold(uid, after.modSeq);
      });
    }
    await tellPresent(session, modified);
    const code = modified.length === 0 ? null : modifiedCode(view, modified, byUid);
    // RFC 2180 §4.2: what could be changed is; the client hears of the rest by EXPUNGE. After NO it would not believe in
    // changes that it was not told of, so .SILENT succeeds.
    if (missing > 0 && !byUid && !silent) throw no('Some of the messages are gone', code ?? 'EXPUNGEISSUED');
    return ok(code ? 'Flags stored, but not of all messages' : 'Flags stored', code);
  },
});

/** RFC 7162 §3.1.3 recommends it: what another has made of the messages that were not changed, so that nobody has to ask. */
async function tellPresent({ mailbox, store: messageStore, writer, enabled }: Session, uids: readonly Uid[]) {
  const { id, view } = mailbox;
  for (let at = 0; at < uids.length; at += LIMIT.page) {
    await writer.ready();
    const { rows } = await messageStore.read.messages(id, Uint32Array.from(uids.slice(at, at + LIMIT.page)));
    for (const row of rows) {
      mailbox.introduce(row.keywords);
      view.shownModSeq = Math.max(view.shownModSeq, row.modSeq);
      const message = { sequence: view.sequenceOf(row.uid), uid: row.uid };
      writer.line(flagReport(message, row, { recent: view.isRecent(row.uid) }, enabled));
      view.flagsTold(row.uid, row.modSeq);
    }
  }
}

/** resp-text-code =/ "MODIFIED" SP sequence-set (RFC 7162 §7): the messages that were not changed, as they were named. */
function modifiedCode(view: View, uids: readonly Uid[], byUid: boolean): string {
  return `MODIFIED ${uidSet(byUid ? uids : uids.map((uid) => view.sequenceOf(uid)))}`;
}
