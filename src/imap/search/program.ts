// SEARCH keys against messages (RFC 3501 §6.4.4). Each key is judged by the cheapest evidence that decides it: what the
// store's row says, then the header, then the body. `null` is "not known yet", and only what is still needed is read.

import { Flag } from '../../store/rows.ts';
import { fold } from './fold.ts';
import type { Day, SearchKey, SearchProgram } from './keys.ts';
import { bodyText, CHUNK, readFields, type SearchContent } from './message-text.ts';
import { containing, Needles } from './needles.ts';
import { numberSet } from './number-set.ts';
import { dayOf, type HeaderQuestion, SearchedHeader } from './searched-header.ts';

/** What is known of a message without reading it. A `MessageRow` has most of it. */
export interface SearchMessage {
  readonly sequence: number;
  readonly uid: number;
  /** Bits of `Flag`. */
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly recent: boolean;
  readonly modSeq: number;
  readonly emailId: string;
  readonly threadId: string;
  /** ms since the epoch. */
  readonly saveDate: number;
  /** ms since the epoch, and the minutes of its zone. */
  readonly internalDate: number;
  readonly internalZone: number;
  /** Octets of prefix and body, of prefix and header, and of the prefix. */
  readonly size: number;
  readonly headerSize: number;
  readonly prefixSize: number;
}

/** Bits of `Flag` that every message found has, and has not. */
export interface RequiredFlags {
  readonly set: number;
  readonly clear: number;
  /** They are the whole search: whatever has and lacks them is found. */
  readonly decide: boolean;
}

/** A search, ready for many messages. */
export interface Search {
  readonly flags: RequiredFlags;
  /** MODSEQ is among its keys: the answer names the highest (RFC 7162 §3.1.5). */
  readonly modSeq: boolean;
  /** Sequence numbers are among its keys. */
  readonly sequences: boolean;
  /** What the row decides: true, false, or null where the message must be read. */
  judge(message: SearchMessage): boolean | null;
  /** Reads no more of the message than is needed to decide. */
  matches(message: SearchMessage, content: SearchContent): Promise<boolean>;
}

/** What is known of a message so far. */
interface Evidence {
  readonly message: SearchMessage;
  /** null: not read yet. */
  readonly header: SearchedHeader | null;
  /** Needles found in the body so far; null: not begun. */
  readonly found: ReadonlySet<string> | null;
  /** The body has been read to its end. */
  readonly complete: boolean;
}

type Judge = (evidence: Evidence) => boolean | null;

/** @param largest what `*` stands for: the largest sequence number and UID of the mailbox, 0 where it is empty */
export function compileSearch(
  program: SearchProgram,
  largest: { readonly sequence: number; readonly uid: number },
): Search {
  const needles = new Set<string>();
  const judge = compile({ key: 'and', keys: program.keys }, largest, needles);
  const unread = { header: null, found: null, complete: false };
  return {
    flags: requiredFlags(program.keys),
    modSeq: mention(program.keys, 'modseq'),
    sequences: mention(program.keys, 'sequence'),
    judge: (message) => judge({ ...unread, message }),
    matches: async (message, content) => {
      const first = judge({ ...unread, message });
      if (first !== null) return first;
      const header = new SearchedHeader(await readFields(content, 0, message.headerSize));
      const byHeader = { ...unread, message, header };
      return judge(byHeader) ?? (await searchBody(judge, byHeader, content, needles));
    },
  };
}

/** What the keys side by side demand of the flags: `UNSEEN DELETED`, but not what stands within OR or NOT. */
function requiredFlags(keys: readonly SearchKey[]): RequiredFlags {
  let set = 0;
  let clear = 0;
  let decide = true;
  for (const key of keys) {
    if (key.key === 'flag' && key.set) set |= key.flag;
    else if (key.key === 'flag') clear |= key.flag;
    else if (key.key !== 'all') decide = false;
  }
  return { set, clear, decide };
}

/** Is there a key of this kind among these, or in them? */
function mention(keys: readonly SearchKey[], kind: SearchKey['key']): boolean {
  return keys.some((key) => {
    if (key.key === 'not') return mention([key.operand], kind);
    if (key.key === 'or') return mention([key.left, key.right], kind);
    return key.key === 'and' ? mention(key.keys, kind) : key.key === kind;
  });
}

/** Reads the body until the search is decided. */
async function searchBody(
  judge: Judge,
  evidence: Evidence & { readonly header: SearchedHeader },
  content: SearchContent,
  wanted: ReadonlySet<string>,
): Promise<boolean> {
  const needles = new Needles(wanted);
  // Each needle goes through all of the text: the more there are, the less of it at once.
  const step = Math.ceil(CHUNK / Math.max(1, wanted.size));
  for await (const { text, begins } of bodyText(content, evidence.header.fields, evidence.message.prefixSize)) {
    if (begins) needles.restart();
    for (let at = 0; at < text.length; at += step) {
      const found = needles.push(text.slice(at, at + step));
      const decided = found ? judge({ ...evidence, found: needles.found }) : null;
      if (decided !== null) return decided;
      await content.searched(step * wanted.size);
    }
  }
  return judge({ ...evidence, found: needles.found, complete: true }) ?? false;
}

function compile(key: SearchKey, largest: { sequence: number; uid: number }, needles: Set<string>): Judge {
  switch (key.key) {
    case 'all':
      return () => true;
    case 'recent':
      return ({ message }) => message.recent;
    case 'old':
      return ({ message }) => !message.recent;
    case 'new':
      return ({ message }) => message.recent && (message.flags & Flag.Seen) === 0;
    case 'flag':
      return ({ message }) => ((message.flags & key.flag) !== 0) === key.set;
    case 'keyword': {
      const wanted = key.keyword.toLowerCase();
      return ({ message }) => message.keywords.some((keyword) => keyword.toLowerCase() === wanted) === key.set;
    }
    case 'sequence': {
      const within = numberSet(key.set, largest.sequence);
      return ({ message }) => within(message.sequence);
    }
    case 'uid': {
      const within = numberSet(key.set, largest.uid);
      return ({ message }) => within(message.uid);
    }
    case 'size':
      return ({ message }) => (key.relation === 'larger' ? message.size > key.octets : message.size < key.octets);
    case 'modseq':
      return ({ message }) => message.modSeq >= key.from;
    case 'email id':
      return ({ message }) => message.emailId === key.id;
    case 'thread id':
      return ({ message }) => message.threadId === key.id;
    case 'date':
      if (key.of === 'saved') return ({ message }) => compareDay(dayOf(message.saveDate, 0), key.relation, key.day);
      return key.of === 'internal'
        ? ({ message }) => compareDay(dayOf(message.internalDate, message.internalZone), key.relation, key.day)
        : ({ header }) => (header === null ? null : compareDay(header.sentDay, key.relation, key.day));
    case 'header':
      return headerJudge(key.name.toLowerCase(), fold(key.text));
    case 'body':
      return textJudge(fold(key.text), false, needles);
    case 'text':
      return textJudge(fold(key.text), true, needles);
    case 'not': {
      const operand = compile(key.operand, largest, needles);
      return (evidence) => {
        const judged = operand(evidence);
        return judged === null ? null : !judged;
      };
    }
    case 'or':
      return anyOf([compile(key.left, largest, needles), compile(key.right, largest, needles)]);
    case 'and':
      return allOf(key.keys.map((inner) => compile(inner, largest, needles)));
    default:
      return key satisfies never;
  }
}

/** False as soon as one is false; not known while one is not. */
function allOf(judges: readonly Judge[]): Judge {
  return (evidence) => {
    let all: boolean | null = true;
    for (const judge of judges) {
      const judged = judge(evidence);
      if (judged === false) return false;
      if (judged === null) all = null;
    }
    return all;
  };
}

function anyOf(judges: readonly Judge[]): Judge {
  return (evidence) => {
    let any: boolean | null = false;
    for (const judge of judges) {
      const judged = judge(evidence);
      if (judged === true) return true;
      if (judged === null) any = null;
    }
    return any;
  };
}

/** HEADER: a field of this name that holds the text; with no text it only has to be there. */
function headerJudge(name: string, text: string): Judge {
  const question: HeaderQuestion = { name, holds: containing(text) };
  return ({ header }) => (header === null ? null : header.answer(question));
}

/** TEXT is the header or the body; BODY the body alone. The empty string is in every message. */
function textJudge(text: string, withHeader: boolean, needles: Set<string>): Judge {
  if (text === '') return () => true;
  needles.add(text);
  const question: HeaderQuestion = { name: null, holds: containing(text) };
  return ({ header, found, complete }) => {
    if (found?.has(text)) return true;
    if (withHeader && header?.answer(question)) return true;
    return complete ? false : null;
  };
}

function compareDay(day: Day | null, relation: 'before' | 'on' | 'since', wanted: Day): boolean {
  if (day === null) return false;
  if (relation === 'on') return day === wanted;
  return relation === 'before' ? day < wanted : day >= wanted;
}
