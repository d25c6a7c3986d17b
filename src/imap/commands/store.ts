// STORE and UID STORE (RFC 3501 §6.4.6). What another session has changed meanwhile is told with it; .SILENT hides only
// what this client asked for itself.

import type { Uid } from '../../store/rows.ts';
import { bad, no, ok } from '../completion.ts';
import { flagList, storeFlags } from '../grammar/flags.ts';
import { sequenceSet } from '../grammar/sequence-set.ts';
import { LIMIT } from '../limits.ts';
import { command, SELECTED } from './command.ts';

const MODES = { '': 'replace', '+': 'add', '-': 'remove' } as const;

/** store = "STORE" SP sequence-set SP store-att-flags
 * store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag))) */
export const store = command({
  name: 'STORE',
  states: SELECTED,
  uid: 'allowed',
  expunge: 'told in UID form',
  grammar(scanner) {
    scanner.space();
    const set = sequenceSet(scanner);
    scanner.space();
    const item = /^([+-]?)FLAGS(\.SILENT)?$/.exec(scanner.word('FLAGS'));
    if (!item) throw bad('STORE changes FLAGS, +FLAGS or -FLAGS');
    scanner.space();
    // The expression has matched one of the three.
    const sign = item[1] as keyof typeof MODES;
    return { set, mode: MODES[sign], silent: item[2] !== undefined, flags: storeFlags(scanner) };
  },
  async run({ mailbox, store: messageStore, writer }, { set, mode, silent, flags }, byUid) {
    const { id, view } = mailbox;
    const uids = byUid ? view.resolveUids(set) : view.resolveSequences(set);
    mailbox.requireWritable();
    let missing = 0;
    for (let at = 0; at < uids.length; at += LIMIT.flagsAtOnce) {
      await writer.ready();
      const page = uids.subarray(at, at + LIMIT.flagsAtOnce);
      const after = await messageStore.execute({
        kind: 'flags',
        mailbox: id,
        uids: Array.from(page) as Uid[], // the view holds nothing else
        mode,
        flags: flags.bits,
        keywords: flags.keywords,
        unchangedSince: null,
        view: view.id,
      });
      missing += page.length - after.uids.length;
      if (silent) continue;
      after.uids.forEach((number, i) => {
        const uid = number as Uid; // as the store names it
        const list = flagList(after.flags[i] ?? 0, after.keywords?.[i] ?? [], view.isRecent(uid));
        writer.line(`* ${view.sequenceOf(uid)} FETCH (${byUid ? `UID ${uid} ` : ''}FLAGS ${list})`);
        view.flagsTold(uid, after.modSeq);
      });
    }
    // RFC 2180 §4.2: what could be changed is; the client hears of the rest by EXPUNGE. After NO it would not believe in
    // changes that it was not told of, so .SILENT succeeds.
    if (missing > 0 && !byUid && !silent) throw no('Some of the messages are gone', 'EXPUNGEISSUED');
    return ok('Flags stored');
  },
});
