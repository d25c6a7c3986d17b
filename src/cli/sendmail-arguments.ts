// What sendmail(1) is called with, as programs of forty years do: flags of one letter with their value in the same word or
// the next, `-o` options, addresses anywhere. Flags that mean nothing here are passed over; those that ask for another
// program are refused.

import type { Notify } from '../formats/envelope.ts';

export interface SendmailArguments {
  /** `list` and `flush`: mailq and the flushing of the queue; `nothing`: an alias file, which there is none. */
  readonly mode: 'deliver' | 'list' | 'flush' | 'nothing';
  /** -t: recipients stand in the header, too. */
  readonly fromHeader: boolean;
  /** -i: a line with a single dot is a line. */
  readonly dotIsText: boolean;
  /** -f or -r, as given; null: who calls. */
  readonly sender: string | null;
  /** -F. */
  readonly fullName: string | null;
  /** -C. */
  readonly config: string | null;
  readonly notify: Notify | null;
  readonly ret: 'FULL' | 'HDRS' | null;
  readonly envid: string | null;
  readonly recipients: readonly string[];
}

/** Not to be understood, or not to be had here; the text says which. */
export class SendmailUsage extends Error {
  override readonly name = 'SendmailUsage';
}

/** Flags with a value that changes nothing here. */
const IGNORED_WITH_VALUE = 'ABDhLOpXx';
/** Flags without a value that change nothing here. */
const IGNORED = 'GnUvm';
/** Flags whose value, if any, stands in the same word. */
const IGNORED_ATTACHED = 'de';

/** @throws SendmailUsage */
export function parseSendmail(argv: readonly string[]): SendmailArguments {
  const found = {
    mode: 'deliver' as SendmailArguments['mode'], // Written below.
    fromHeader: false,
    dotIsText: false,
    sender: null as string | null, // As above.
    fullName: null as string | null, // As above.
    config: null as string | null, // As above.
    notify: null as Notify | null, // As above.
    ret: null as 'FULL' | 'HDRS' | null, // As above.
    envid: null as string | null, // As above.
    recipients: [] as string[], // As above.
  };
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') {
      found.recipients.push(...words.splice(0));
    } else if (!word.startsWith('-') || word === '-') {
      found.recipients.push(word);
    } else {
      readFlags(word.slice(1), words, found);
    }
  }
  return found;
}

type Found = { -readonly [K in keyof SendmailArguments]: SendmailArguments[K] };

/** One word: `ti`, `fADDRESS`, `oi`, `bs` … */
function readFlags(flags: string, words: string[], found: Found): void {
  for (let at = 0; at < flags.length; at++) {
    const flag = flags.charAt(at);
    const rest = flags.slice(at + 1);
    const value = (): string => {
      const text = rest === '' ? words.shift() : rest;
      if (text === undefined) throw new SendmailUsage(`-${flag} needs a value`);
      return text;
    };
    if (flag === 't') found.fromHeader = true;
    else if (flag === 'i') found.dotIsText = true;
    else if (!IGNORED.includes(flag)) {
      readValued(flag, rest, value, found);
      return;
    }
  }
}

function readValued(flag: string, rest: string, value: () => string, found: Found): void {
  if (flag === 'f' || flag === 'r') found.sender = value();
  else if (flag === 'F') found.fullName = value();
  else if (flag === 'C') found.config = value();
  else if (flag === 'V') found.envid = value();
  else if (flag === 'N') found.notify = notifyOf(value());
  else if (flag === 'R') found.ret = value().toLowerCase().startsWith('full') ? 'FULL' : 'HDRS';
  else if (flag === 'q') found.mode = 'flush';
  // `-o i`, `-oi`, `-oitrue`, `-odb`, `-o7`, `-O Name=value`.
  else if (flag === 'o') found.dotIsText ||= /^i(?:t|true)?$/i.test(value());
  else if (flag === 'b') found.mode = modeOf(value());
  else if (flag === 'I') found.mode = 'nothing';
  else if (IGNORED_ATTACHED.includes(flag)) return;
  else if (IGNORED_WITH_VALUE.includes(flag)) value();
  else throw new SendmailUsage(`there is no -${flag}${rest === '' ? '' : ` (in -${flag}${rest})`}`);
}

function modeOf(mode: string): SendmailArguments['mode'] {
  if (mode === 'm') return 'deliver';
  if (mode === 'p') return 'list';
  if (mode === 'i') return 'nothing';
  const instead = mode === 's' ? 'speak SMTP to a submission port' : mode === 'd' ? 'run "postern serve"' : null;
  throw new SendmailUsage(`-b${mode} is not for this program${instead === null ? '' : `: ${instead}`}`);
}

/** RFC 3461 §4.1, as sendmail's users write it: `never`, or a list of `success,failure,delay`. */
function notifyOf(text: string): Notify {
  const known = ['success', 'failure', 'delay'] as const;
  const words = text.toLowerCase().split(',');
  if (words.length === 1 && words[0] === 'never') return 'never';
  const notify = words.map((word) => known.find((each) => each === word));
  if (notify.some((each) => each === undefined)) throw new SendmailUsage('-N takes never, or success,failure,delay');
  return known.filter((each) => notify.includes(each));
}
