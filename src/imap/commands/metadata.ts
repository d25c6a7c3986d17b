// GETMETADATA and SETMETADATA (RFC 5464): what users note about mailboxes, and about the server. Two entries are not kept
// as notes: the special use of a mailbox (RFC 6154 §4), and where to reach the operator.

import { Limit } from '../../store/limits.ts';
import type { SpecialUse } from '../../store/rows.ts';
import { StoreError } from '../../store/store.ts';
import { mailboxFor, type SeenMailbox } from '../access.ts';
import { bad, no, ok } from '../completion.ts';
import { mailboxName, nameText } from '../grammar/mailbox-name.ts';
import { depthBelow, type MetadataEntry, metadataEntry, SPECIAL_USE } from '../grammar/metadata-entry.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { LIMIT } from '../limits.ts';
import { astring, valueText } from '../render/strings.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { specialUseNamed } from './mailboxes.ts';

/** RFC 5464 §3.2.1.1: a URI, read-only. */
const ADMIN = '/shared/admin';

/** What annotations belong to; null: the server. */
type Subject = Pick<SeenMailbox, 'id' | 'name' | 'specialUse' | 'own'> | null;

/** The name of a subject as a command has it; null: the server, which is written as "". */
function subjectArgument(scanner: Scanner): string | null {
  const octets = scanner.astring();
  return octets.length === 0 ? null : mailboxName(octets, scanner.utf8);
}

/** @throws ImapRefusal NO if there is no such mailbox */
async function subjectNamed(session: Session, name: string | null): Promise<Subject> {
  return name === null ? null : { ...(await mailboxFor(session, name, 'annotate')), name };
}

interface Wanted {
  readonly entries: readonly MetadataEntry[];
  /** Octets; larger values are only counted. */
  readonly maxSize: number;
  readonly depth: number;
}

type Options = Omit<Wanted, 'entries'>;
export const NO_OPTIONS: Options = { maxSize: Number.POSITIVE_INFINITY, depth: 0 };

/** maxsize-opt = "MAXSIZE" SP number; scope-opt = "DEPTH" SP ("0" / "1" / "infinity") */
function option(scanner: Scanner): Partial<Options> {
  const name = scanner.word('an option');
  if (name !== 'MAXSIZE' && name !== 'DEPTH') throw bad('GETMETADATA has an option that is not known');
  scanner.space();
  if (name === 'MAXSIZE') return { maxSize: scanner.number() };
  const depth = scanner.word('0, 1 or infinity');
  if (!['0', '1', 'INFINITY'].includes(depth)) throw bad('DEPTH is 0, 1 or infinity');
  return { depth: depth === 'INFINITY' ? Number.POSITIVE_INFINITY : Number(depth) };
}

/** entries = entry / "(" entry *(SP entry) ")"; also several without parentheses, which an example of RFC 5464 §4.4.1
 * has. @param below entries below them are wanted */
export function metadataEntries(scanner: Scanner, below: boolean): MetadataEntry[] {
  const entries = scanner.atList ? scanner.list(() => metadataEntry(scanner, below)) : [metadataEntry(scanner, below)];
  if (entries.length === 0) throw scanner.problem('the name of an annotation');
  if (entries.length > LIMIT.metadataEntries) throw no('Too many annotations are named', 'LIMIT');
  return entries;
}

/** getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries. The examples of RFC 5464 §4.2 have the
 * options behind the mailbox: both places are well. */
export const getMetadata = command({
  name: 'GETMETADATA',
  states: LOGGED_IN,
  grammar(scanner) {
    scanner.space();
    let options = NO_OPTIONS;
    const first = scanner.atList;
    if (first) {
      for (const each of scanner.list(() => option(scanner))) options = { ...options, ...each };
      scanner.space();
    }
    const name = subjectArgument(scanner);
    scanner.space();
    const start = scanner.atList && !first ? scanner.list(() => optionOrEntry(scanner)) : [];
    const found = start.filter((each) => 'entry' in each);
    if (start.length > found.length) {
      if (found.length > 0) throw bad('Options and names of annotations are two lists');
      for (const each of start) options = { ...options, ...each };
      scanner.space();
    }
    const entries = found.length > 0 ? found : metadataEntries(scanner, options.depth > 0);
    while (scanner.accept(' ')) entries.push(metadataEntry(scanner, options.depth > 0));
    if (entries.length > LIMIT.metadataEntries) throw no('Too many annotations are named', 'LIMIT');
    return { name, wanted: { ...options, entries } };
  },
  async run(session, { name, wanted }) {
    const longest = await writeMetadata(session, await subjectNamed(session, name), wanted);
    return ok('That is all', longest > 0 ? `METADATA LONGENTRIES ${longest}` : null);
  },
});

function optionOrEntry(scanner: Scanner): MetadataEntry | Partial<Options> {
  return scanner.peekWord().startsWith('/') || scanner.atQuote ? metadataEntry(scanner) : option(scanner);
}

/** metadata-resp = "METADATA" SP mailbox SP entry-values, as often as it takes.
 * @returns octets of the longest value that was held back for its size; 0: none was */
export async function writeMetadata(session: Session, subject: Subject, wanted: Wanted): Promise<number> {
  const { writer } = session;
  const name = nameText(subject?.name ?? '', session.enabled);
  let longest = 0;
  let pairs: string[] = [];
  let octets = 0;
  const send = async () => {
    if (pairs.length > 0) writer.line(`* METADATA ${name} (${pairs.join(' ')})`);
    pairs = [];
    octets = 0;
    await writer.ready();
  };
  for await (const { entry, value, size } of valuesOf(session, subject, wanted)) {
    if (size > wanted.maxSize) {
      longest = Math.max(longest, size);
      continue;
    }
    const pair = `${astring(entry)} ${valueText(await value())}`;
    pairs.push(pair);
    octets += pair.length;
    if (octets >= LIMIT.metadataResponse) await send();
  }
  await send();
  return longest;
}

interface Value {
  readonly entry: string;
  readonly size: number;
  readonly value: () => Promise<Uint8Array | null>;
}

/** Each wanted entry once. One that has no value is NIL where it was named, and is not there where it is only below one. */
async function* valuesOf(session: Session, subject: Subject, wanted: Wanted): AsyncGenerator<Value> {
  const { account, store } = session;
  const id = subject?.id ?? null;
  const heads = await store.read.annotations(id, account);
  const kept = new Map<string, Value>(
    heads.map((head) => [
      head.entry,
      {
        entry: head.entry,
        size: head.octets,
        value: async () => (await store.read.annotation(id, account, head)) ?? null,
      },
    ]),
  );
  for (const [entry, text] of await computed(session, subject)) {
    const value = Buffer.from(text);
    kept.set(entry, { entry, size: value.length, value: async () => value });
  }
  const done = new Set<string>();
  for (const { entry: asked } of wanted.entries) {
    for (const value of kept.values()) {
      const depth = depthBelow(value.entry, asked);
      if (done.has(value.entry) || depth === null || depth > wanted.depth) continue;
      done.add(value.entry);
      yield value;
    }
    if (done.has(asked) || wanted.depth > 0) continue;
    done.add(asked);
    yield { entry: asked, size: 0, value: async () => null };
  }
}

/** Entries whose values are known from elsewhere. */
async function computed(session: Session, subject: Subject): Promise<[string, string][]> {
  if (subject) return subject.specialUse ? [[SPECIAL_USE, `\\${subject.specialUse}`]] : [];
  const address = (await session.store.read.account(session.account))?.address ?? '';
  // Every domain has this address (RFC 5321 §4.5.1).
  return [[ADMIN, `mailto:postmaster@${encodeURI(address.slice(address.lastIndexOf('@') + 1))}`]];
}

interface Setting extends MetadataEntry {
  readonly value: Buffer | null;
}

/** entry-value = entry SP value; value = nstring / literal8 */
function entryValue(scanner: Scanner): Setting {
  const entry = metadataEntry(scanner);
  scanner.space();
  return { ...entry, value: scanner.nstring8() };
}

/** setmetadata = "SETMETADATA" SP mailbox SP "(" entry-value *(SP entry-value) ")" */
export const setMetadata = command({
  name: 'SETMETADATA',
  states: LOGGED_IN,
  grammar(scanner) {
    scanner.space();
    const name = subjectArgument(scanner);
    scanner.space();
    const settings = scanner.list(() => entryValue(scanner));
    if (settings.length === 0) throw scanner.problem('an annotation');
    if (settings.length > LIMIT.metadataEntries) throw no('Too many annotations at once', 'METADATA TOOMANY');
    return { name, settings };
  },
  async run(session, { name, settings }) {
    const subject = await subjectNamed(session, name);
    if (settings.some(({ value }) => value && value.length > Limit.annotationOctets)) {
      throw no('A value is too large', `METADATA MAXSIZE ${Limit.annotationOctets}`);
    }
    if (!subject && settings.some(({ shared }) => shared)) {
      throw no('Only the operator says what all see of the server', 'NOPERM');
    }
    const special = settings.findLast(({ entry }) => entry === SPECIAL_USE);
    if (special && !subject?.own) throw no('Special uses are of your own mailboxes', subject ? 'NOPERM' : 'CANNOT');
    try {
      await session.store.execute({
        kind: 'annotate',
        mailbox: subject?.id ?? null,
        account: session.account,
        entries: settings
          .filter(({ entry }) => entry !== SPECIAL_USE)
          .map(({ entry, shared, value }) => ({ entry, shared, value })),
        ...(special ? { specialUse: specialUseOf(special.value) } : {}),
        origin: session.id,
      });
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind !== 'quota') throw error;
      throw no('There are too many annotations', 'METADATA TOOMANY', error.message);
    }
    return ok('Noted');
  },
});

/** The special use that a value of the entry means: a space-separated list (RFC 6154 §4), of which a mailbox has one.
 * @throws ImapRefusal NO [USEATTR] */
function specialUseOf(value: Buffer | null): SpecialUse | null {
  if (value === null) return null;
  const uses = new Set(value.toString('latin1').toUpperCase().split(' '));
  return specialUseNamed([...uses].map((use) => (use.startsWith('\\') ? use.slice(1) : '')));
}
