// The grammar of transcripts: conversations in the notation of the RFCs (`C:` and `S:`, numbered where there are several
// clients), as values. Pure: text in, steps out. How a server line is compared is pattern.ts's business.

/** What happens next; `at` is the line of the file, for messages to people. */
export type Step =
  | {
      readonly kind: 'send';
      readonly client: number;
      readonly text: string;
      readonly raw: boolean;
      readonly at: number;
    }
  | {
      readonly kind: 'expect';
      readonly client: number;
      readonly lines: readonly { readonly text: string; readonly at: number }[];
      readonly anyOrder: boolean;
      readonly at: number;
    }
  | {
      readonly kind: 'negotiate' | 'client-closes' | 'client-resets' | 'server-closes' | 'connect' | 'handshake-fails';
      readonly client: number;
      readonly at: number;
    };

/** One conversation. `replays`: how it is sent; both ways unless its `only:` line says one. */
export interface Script {
  readonly file: string;
  readonly at: number;
  readonly rfc: string;
  readonly title: string;
  readonly given: readonly string[];
  readonly replays: readonly Replay[];
  readonly steps: readonly Step[];
}

/** `lines`: the C lines that follow each other go out in one write. `octets`: each octet in a write of its own. */
export type Replay = 'lines' | 'octets';

export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

const headers = new Set(['rfc', 'title', 'given', 'only']);

/** What may stand in angle brackets as a whole line: the remarks that RFCs put between their lines. */
const remarks = new Map<string, Exclude<Step['kind'], 'send' | 'expect'>>([
  ['C <connects>', 'connect'],
  ['C <closes the connection>', 'client-closes'],
  ['C <resets the connection>', 'client-resets'],
  ['S <closes the connection>', 'server-closes'],
  ['C & S <negotiate a TLS session>', 'negotiate'],
  ['C & S <fail to negotiate a TLS session>', 'handshake-fails'],
]);

/**
 * Reads a file of transcripts: each begins at its `rfc:` line, `#` at the start of a line is a comment.
 *
 *     script  = "rfc: " text  "title: " text  *( "given: " hook *( "; " hook ) )  [ "only: " replay ]  1*line
 *     line    = "C" [n] ": " text          sent with CRLF
 *             / "C" [n] "!: " text         sent as it is: escapes \r \n \t \0 \\ \xHH, no CRLF
 *             / "S" [n] ": " pattern       one line, ended by CRLF
 *             / "S" [n] "*: " pattern      a run of these may come in any order
 *             / "C" [n] " & S" [n] ": <negotiate a TLS session>"  and the other remarks
 *
 * @throws ScriptError with file and line
 */
export function parseScripts(text: string, file: string): Script[] {
  const scripts: Draft[] = [];
  let draft: Draft | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const at = index + 1;
    const where = `${file}:${at}`;
    if (line.trim() === '' || line.startsWith('#')) continue;
    const header = /^([a-z]+):\s*(.*)$/.exec(line);
    if (header?.[1] !== undefined && header[2] !== undefined) {
      if (!headers.has(header[1])) throw new ScriptError(`${where}: no header line is called ${header[1]}`);
      if (header[1] === 'rfc') {
        draft = { file, at, rfc: header[2], title: '', given: [], replays: ['lines', 'octets'], steps: [] };
        scripts.push(draft);
      } else if (draft === undefined || draft.steps.length > 0) {
        throw new ScriptError(`${where}: a transcript begins with its rfc: line`);
      } else readHeader(draft, header[1], header[2], where);
      continue;
    }
    if (draft === undefined) throw new ScriptError(`${where}: a transcript begins with its rfc: line`);
    addLine(draft.steps, line, at, where);
  }
  for (const { title, steps, at } of scripts) {
    if (title === '') throw new ScriptError(`${file}:${at}: a transcript has a title: line`);
    if (steps.length === 0) throw new ScriptError(`${file}:${at}: a transcript has lines`);
  }
  return scripts;
}

interface Draft extends Script {
  title: string;
  readonly given: string[];
  replays: Replay[];
  readonly steps: Step[];
}

function readHeader(draft: Draft, name: string, value: string, where: string): void {
  if (name === 'title') draft.title = value;
  else if (name === 'given') draft.given.push(...value.split(/;\s*/).filter((hook) => hook !== ''));
  else if (value === 'lines' || value === 'octets') draft.replays = [value];
  else throw new ScriptError(`${where}: only: says lines or octets`);
}

function addLine(steps: Step[], line: string, at: number, where: string): void {
  const found = /^(C(\d*) & S(\d*)|[CS](\d*))([!*]?):(?: (.*))?$/.exec(line);
  if (!found) throw new ScriptError(`${where}: neither C: nor S: nor a header line: ${line}`);
  const [, who = '', both = '', bothToo = '', one = '', mark = '', text = ''] = found;
  if (both !== bothToo) throw new ScriptError(`${where}: both ends of one connection have one number`);
  const client = Number((both || one) === '' ? 1 : both || one);
  const side = who.includes('&') ? 'C & S' : who.charAt(0);
  const remark = mark === '' ? remarks.get(`${side} ${text}`) : undefined;
  if (remark) steps.push({ kind: remark, client, at });
  else if (side === 'C' && mark !== '*') steps.push({ kind: 'send', client, text, raw: mark === '!', at });
  else if (side === 'S' && mark !== '!') addExpectation(steps, client, { text, at }, mark === '*');
  else throw new ScriptError(`${where}: no such line: ${line}`);
}

function addExpectation(steps: Step[], client: number, line: { text: string; at: number }, anyOrder: boolean): void {
  const last = steps.at(-1);
  if (anyOrder && last?.kind === 'expect' && last.client === client && last.anyOrder) {
    steps[steps.length - 1] = { ...last, lines: [...last.lines, line] };
  } else steps.push({ kind: 'expect', client, lines: [line], anyOrder, at: line.at });
}
