// LIST (RFC 3501 §6.3.8), with selection and return options (RFC 5258), special uses (RFC 6154), and the responses of other
// commands for each mailbox: STATUS (RFC 5819), METADATA (RFC 9590), MYRIGHTS (RFC 8440).

import { mailboxNamed, NAME_COST, type SeenMailbox, visibleMailboxes } from '../access.ts';
import { bad, no, ok } from '../completion.ts';
import { DELIMITER, listPattern, matchesPattern } from '../grammar/mailbox-name.ts';
import type { MetadataEntry } from '../grammar/metadata-entry.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { LIMIT } from '../limits.ts';
import { type Entry, EVERYTHING, listing, type Selection } from '../listing.ts';
import { listLine } from '../render/list-line.ts';
import { nameAttributes } from '../render/name-attributes.ts';
import { allows } from '../rights.ts';
import { myRightsLine } from './acl.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { metadataEntries, NO_OPTIONS, writeMetadata } from './metadata.ts';
import { type StatusItem, statusItems, statusLine } from './status.ts';

interface ListArguments {
  readonly selection: Selection;
  readonly patterns: readonly string[];
  readonly asked: Returned;
  /** The old form: two arguments, nothing in parentheses (RFC 5258 §1). */
  readonly plain: boolean;
}

interface Returned {
  readonly subscribed: boolean;
  readonly children: boolean;
  readonly status: readonly StatusItem[];
  readonly metadata: readonly MetadataEntry[];
  readonly myRights: boolean;
}

/** list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts] */
function listArguments(scanner: Scanner): ListArguments {
  scanner.space();
  let plain = !scanner.atList;
  const selection = plain ? EVERYTHING : selectOptions(scanner);
  if (!plain) scanner.space();
  const reference = scanner.astring();
  scanner.space();
  plain &&= !scanner.atList;
  // patterns = "(" list-mailbox *(SP list-mailbox) ")"
  const given = scanner.atList ? scanner.list(() => scanner.listMailbox()) : [scanner.listMailbox()];
  if (given.length === 0) throw scanner.problem('a mailbox pattern');
  if (given.length > LIMIT.listPatterns) throw no('LIST has too many patterns', 'LIMIT');
  const returning = scanner.accept(' ');
  plain &&= !returning;
  const asked = returning
    ? returnOptions(scanner)
    : { subscribed: false, children: plain, status: [], metadata: [], myRights: false };
  // RFC 5258 §3: only the old form asks for the root by an empty pattern; the new one passes it over.
  const patterns = given
    .filter((pattern) => pattern.length > 0)
    .map((pattern) => listPattern(reference, pattern, scanner.utf8));
  return { selection, patterns, asked: { ...asked, subscribed: asked.subscribed || selection.subscribed }, plain };
}

/** list-select-opts: "SUBSCRIBED", "REMOTE", "RECURSIVEMATCH" and "SPECIAL-USE", in any order. There are no remote
 * mailboxes. */
function selectOptions(scanner: Scanner): Selection {
  const options = new Set(scanner.list(() => scanner.word('a selection option')));
  const selection: Selection = {
    subscribed: options.delete('SUBSCRIBED'),
    specialUse: options.delete('SPECIAL-USE'),
    recursive: options.delete('RECURSIVEMATCH'),
  };
  options.delete('REMOTE');
  if (options.size > 0) throw bad('LIST has a selection option that is not known');
  // RFC 5258 §6: it needs a list-select-base-opt, and SUBSCRIBED is the only one (RFC 6154 §6).
  if (selection.recursive && !selection.subscribed) throw bad('RECURSIVEMATCH needs SUBSCRIBED beside it');
  return selection;
}

/** list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
 * return-option = "SUBSCRIBED" / "CHILDREN" / "SPECIAL-USE" / status-option / "METADATA" SP entries / "MYRIGHTS" */
function returnOptions(scanner: Scanner): Returned {
  if (scanner.word('RETURN') !== 'RETURN') throw scanner.problem('RETURN');
  scanner.space();
  let subscribed = false;
  let children = false;
  let status: readonly StatusItem[] = [];
  let metadata: readonly MetadataEntry[] = [];
  let myRights = false;
  scanner.list(() => {
    switch (scanner.word('a return option')) {
      case 'SUBSCRIBED':
        subscribed = true;
        break;
      case 'CHILDREN':
        children = true;
        break;
      case 'SPECIAL-USE':
        // Told with every mailbox that has one.
        break;
      case 'STATUS':
        scanner.space();
        status = statusItems(scanner);
        break;
      case 'MYRIGHTS':
        myRights = true;
        break;
      case 'METADATA':
        scanner.space();
        metadata = metadataEntries(scanner, false);
        break;
      default:
        throw bad('LIST has a return option that is not known');
    }
  });
  return { subscribed, children, status, metadata, myRights };
}

/** The response to an empty pattern: the delimiter, and the root, which is nameless. */
export const ROOT = `(\\Noselect) "${DELIMITER}" ""`;

/** A pattern can be made to cost the product of both lengths, for each of thousands of names. */
export async function matches(session: Session, name: string, pattern: string): Promise<boolean> {
  session.turn.spend(NAME_COST + name.length * pattern.length);
  if (session.turn.over) await session.turn.pass();
  return matchesPattern(name, pattern);
}

export const list = command({
  name: 'LIST',
  states: LOGGED_IN,
  grammar: listArguments,
  async run(session, { selection, patterns, asked, plain }) {
    if (plain && patterns.length === 0) {
      session.writer.line(`* LIST ${ROOT}`);
      return ok('Listed');
    }
    const { account, store, turn, writer } = session;
    const entries = await listing({
      mailboxes: await visibleMailboxes(session, turn),
      subscriptions: asked.subscribed ? await store.read.subscriptions(account) : [],
      selection,
      async matches(name) {
        let found: 'no' | 'yes' = 'no';
        for (const pattern of patterns) {
          if (!(await matches(session, name, pattern))) continue;
          if (pattern.endsWith('%')) return 'level';
          found = 'yes';
        }
        return found;
      },
    });
    for (const entry of entries) {
      const attributes = nameAttributes(entry, { ...asked, plain });
      writer.line(`${listLine('LIST', attributes, entry.name, session.enabled)}${childInfo(entry)}`);
      const { mailbox } = entry;
      await writer.ready();
      // RFC 5819 §3: nothing more of what is only listed for what is below it.
      if (!mailbox || !entry.selected) continue;
      if (asked.myRights) writer.line(myRightsLine(session, mailbox, entry.name));
      if (asked.status.length > 0 && mailbox.selectable && allows(mailbox.rights, 'read')) {
        const seen = mailbox.own ? mailbox : await mailboxNamed(session, entry.name);
        if (seen) writer.line(await statusLine(session, seen, entry.name, asked.status));
      }
      if (asked.metadata.length > 0 && allows(mailbox.rights, 'annotate')) {
        await writeMetadata(session, mailbox, { ...NO_OPTIONS, entries: asked.metadata });
      }
    }
    return ok('Listed');
  },
});

/** childinfo-extended-item = "CHILDINFO" SP "(" list-select-base-opt-quoted *(SP list-select-base-opt-quoted) ")" */
function childInfo({ selectedBelow }: Entry<SeenMailbox>): string {
  return selectedBelow ? ' ("CHILDINFO" ("SUBSCRIBED"))' : '';
}
