// SEARCH keys against messages (RFC 3501 §6.4.4). Each key is judged by the cheapest evidence that decides it: what the
// store's row says, then the header, then the body. `null` is "not known yet", and only what is still needed is read.

import { Flag } from '../../store/rows.ts';
import type { Evidence, Judge, SearchMessage } from './evidence.ts';
import { fold } from './fold.ts';
import { fuzzyWords, type Grader, scoreOf, textGrader } from './fuzzy.ts';
import type { Day, SearchKey, SearchProgram } from './keys.ts';
import { bodyText, CHUNK, readFields, type SearchContent } from './message-text.ts';
import { containing, Needles } from './needles.ts';
import { memberOf, numberSet } from './number-set.ts';
import { dayOf, type HeaderQuestion, SearchedHeader } from './searched-header.ts';

/** What every message found has, as far as it is known without its row. */
export interface Required {
  /** Bits of `Flag` that it has, and has not. */
  readonly set: number;
  readonly clear: number;
  /** Is it among those that are named? null: none is. */
  readonly named: ((sequence: number, uid: number) => boolean) | null;
  /** This is the whole search. */
  readonly decides: boolean;
}

/** A search, ready for many messages. */
export interface Search {
  readonly required: Required;
  /** What the row decides: true, false, or null where the message must be read. */
  judge(message: SearchMessage): boolean | null;
  /** Reads no more of the message than is needed to decide. */
  matches(message: SearchMessage, content: SearchContent): Promise<boolean>;
  /** There is a FUZZY key. */
  readonly fuzzy: boolean;
  /** As `matches`, and how relevant the message is, 1 to 100 (RFC 6203 §4); 0: it does not match. */
  relevancy(message: SearchMessage, content: SearchContent): Promise<number>;
}

/** What the keys are understood by. */
interface SearchedMailbox {
  /** What `*` stands for: the largest sequence number and UID of the mailbox, 0 where it is empty. */
  readonly sequence: number;
  readonly uid: number;
  /** What `$` stands for: UIDs, ascending. */
  readonly saved: () => Uint32Array;
  /** ms since the epoch. */
  readonly now: number;
}

interface Compilation extends SearchedMailbox {
  /** Strings that are looked for in bodies. */
  readonly needles: Set<string>;
  readonly graders: Grader[];
  /** In lower case. */
  readonly keywordsOf: (message: SearchMessage) => ReadonlySet<string>;
}

export function compileSearch(program: SearchProgram, mailbox: SearchedMailbox): Search {
  const compilation: Compilation = { ...mailbox, needles: new Set(), graders: [], keywordsOf: foldedKeywords() };
  const judge = compile({ key: 'and', keys: program.keys }, compilation);
  const unread = { header: null, found: null, complete: false };
  const weigh = async (message: SearchMessage, content: SearchContent): Promise<Verdict> => {
    const byRow = { ...unread, message };
    const first = judge(byRow);
    if (first !== null) return { matched: first, evidence: byRow };
    const header = new SearchedHeader(await readFields(content, 0, message.headerSize));
    const byHeader = { ...byRow, header };
    const second = judge(byHeader);
    if (second !== null) return { matched: second, evidence: byHeader };
    return searchBody(judge, byHeader, content, compilation.needles);
  };
  return {
    required: requirements(program.keys, mailbox),
    judge: (message) => judge({ ...unread, message }),
    matches: async (message, content) => (await weigh(message, content)).matched,
    fuzzy: compilation.graders.length > 0,
    async relevancy(message, content) {
      const { matched, evidence } = await weigh(message, content);
      return matched ? scoreOf(compilation.graders, evidence) : 0;
    },
  };
}

/** What became of a message, and what was known of it then. */
interface Verdict {
  readonly matched: boolean;
  readonly evidence: Evidence;
}

/** Sets of messages that are asked about all messages in one go. */
const SETS_AT_ONCE = 4;

/** What the keys side by side demand: `UNSEEN 1:100`, but not what stands within OR or NOT. */
function requirements(keys: readonly SearchKey[], mailbox: SearchedMailbox): Required {
  let set = 0;
  let clear = 0;
  let decides = true;
  const tests: ((sequence: number, uid: number) => boolean)[] = [];
  for (const key of keys) {
    if (key.key === 'flag' && key.set) set |= key.flag;
    else if (key.key === 'flag') clear |= key.flag;
    else if (isSet(key) && tests.length < SETS_AT_ONCE) tests.push(membership(key, mailbox));
    else if (key.key !== 'all') decides = false;
  }
  const named =
    tests.length === 0 ? null : (sequence: number, uid: number) => tests.every((test) => test(sequence, uid));
  return { set, clear, named, decides };
}

type SetKey = Extract<SearchKey, { key: 'sequence' | 'uid' | 'among' }>;

function isSet(key: SearchKey): key is SetKey {
  return key.key === 'sequence' || key.key === 'uid' || key.key === 'among';
}

/** Is a message in a set of sequence numbers or UIDs? */
function membership(key: SetKey, mailbox: SearchedMailbox): (sequence: number, uid: number) => boolean {
  if (key.key === 'among' || key.set === 'saved') {
    const within = memberOf(key.key === 'among' ? key.uids : mailbox.saved());
    return (_, uid) => within(uid);
  }
  const within = numberSet(key.set, key.key === 'sequence' ? mailbox.sequence : mailbox.uid);
  return key.key === 'sequence' ? (sequence) => within(sequence) : (_, uid) => within(uid);
}

/** Reads the body until the search is decided. */
async function searchBody(
  judge: Judge,
  evidence: Evidence & { readonly header: SearchedHeader },
  content: SearchContent,
  wanted: ReadonlySet<string>,
): Promise<Verdict> {
  const needles = new Needles(wanted);
  // Each needle goes through all of the text: the more there are, the less of it at once.
  const step = Math.ceil(CHUNK / Math.max(1, wanted.size));
  for await (const { text, begins } of bodyText(content, evidence.header.fields, evidence.message.prefixSize)) {
    if (begins) needles.restart();
    for (let at = 0; at < text.length; at += step) {
      const found = needles.push(text.slice(at, at + step));
      const known = { ...evidence, found: needles.found };
      const decided = found ? judge(known) : null;
      if (decided !== null) return { matched: decided, evidence: known };
      await content.searched(step * wanted.size);
    }
  }
  const known = { ...evidence, found: needles.found, complete: true };
  return { matched: judge(known) ?? false, evidence: known };
}

function compile(key: SearchKey, mailbox: Compilation): Judge {
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
      return ({ message }) => mailbox.keywordsOf(message).has(wanted) === key.set;
    }
    case 'sequence':
    case 'uid':
    case 'among': {
      const within = membership(key, mailbox);
      return ({ message }) => within(message.sequence, message.uid);
    }
    case 'within': {
      const target = seconds(mailbox.now) - key.seconds;
      return key.relation === 'older'
        ? ({ message }) => seconds(message.internalDate) <= target
        : ({ message }) => seconds(message.internalDate) >= target;
    }
    case 'fuzzy': {
      mailbox.graders.push(() => 0);
      return compileFuzzy(key.operand, mailbox);
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
      return headerJudge(key.name.toLowerCase(), fold(key.text), key.addresses === true);
    case 'body':
      return textJudge(fold(key.text), false, mailbox.needles);
    case 'text':
      return textJudge(fold(key.text), true, mailbox.needles);
    case 'not': {
      const operand = compile(key.operand, mailbox);
      return (evidence) => {
        const judged = operand(evidence);
        return judged === null ? null : !judged;
      };
    }
    case 'or':
      return anyOf([compile(key.left, mailbox), compile(key.right, mailbox)]);
    case 'and':
      return allOf(key.keys.map((inner) => compile(inner, mailbox)));
    default:
      return key satisfies never;
  }
}

/** Keywords of the message at hand: a thousand keys may ask for its hundred. */
function foldedKeywords(): Compilation['keywordsOf'] {
  let last: readonly string[] = [];
  let folded: ReadonlySet<string> = new Set();
  return ({ keywords }) => {
    if (keywords !== last) {
      folded = new Set(keywords.map((keyword) => keyword.toLowerCase()));
      last = keywords;
    }
    return folded;
  };
}

/** FUZZY (RFC 6203 §5): a text also matches by its words, wherever they stand; every other key is exact. */
function compileFuzzy(key: SearchKey, mailbox: Compilation): Judge {
  switch (key.key) {
    case 'header':
    case 'body':
    case 'text': {
      const exact = compile(key, mailbox);
      const words = allOf(fuzzyWords(fold(key.text)).map((text) => compile({ ...key, text }, mailbox)));
      mailbox.graders.push(textGrader(exact, words, fold(key.text)));
      return (evidence) => {
        const byWords = words(evidence);
        // What holds the text holds its words; whether it holds the text is worth knowing, for its relevancy.
        return byWords === true && exact(evidence) === null ? null : byWords;
      };
    }
    case 'and':
      return allOf(key.keys.map((inner) => compileFuzzy(inner, mailbox)));
    case 'or':
      return anyOf([compileFuzzy(key.left, mailbox), compileFuzzy(key.right, mailbox)]);
    default:
      return compile(key, mailbox);
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
function headerJudge(name: string, text: string, addresses: boolean): Judge {
  const question: HeaderQuestion = { name, addresses, holds: containing(text) };
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

function seconds(time: number): number {
  return Math.floor(time / 1000);
}

function compareDay(day: Day | null, relation: 'before' | 'on' | 'since', wanted: Day): boolean {
  if (day === null) return false;
  if (relation === 'on') return day === wanted;
  return relation === 'before' ? day < wanted : day >= wanted;
}
