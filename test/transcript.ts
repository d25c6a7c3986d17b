// The transcript tool: protocol tests in the RFCs' own notation, replayed twice (whole lines, then octet by octet)
// against a live connection. A line of the server that the transcript does not have is a failure.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, test } from 'vitest';
import { Conversation } from './transcript/conversation.ts';
import { type Bindings, expressionOf, octetsOf } from './transcript/pattern.ts';
import { parseScripts, type Replay, type Script, type Step } from './transcript/script.ts';

export { Conversation } from './transcript/conversation.ts';
export { parseScripts, type Replay, type Script, ScriptError, type Step } from './transcript/script.ts';

/** What a `given:` hook may touch: connections by number (opened at first use) and the bound captures. */
export interface Stage {
  readonly script: Script;
  readonly bindings: Bindings;
  conversation(client: number): Promise<Conversation>;
}

/** Makes one condition of a `given:` line true; the first whose `when` matches the whole condition is used. */
export interface Given {
  readonly when: RegExp;
  readonly make: (match: RegExpExecArray, stage: Stage) => Promise<void> | void;
}

export interface Players {
  /** A fresh connection for client number `client`, the greeting not yet read. */
  readonly connect: (client: number, script: Script) => Promise<Duplex>;
  readonly given?: readonly Given[];
  /** Before and after each replay: a fresh world, and its end. */
  readonly before?: (script: Script) => Promise<void> | void;
  readonly after?: (script: Script) => Promise<void> | void;
  /** ms that a line may take. */
  readonly patience?: number;
}

const PATIENCE = 15_000;

/** Registers a vitest test for each transcript and replay. @param source a folder of `*.transcript`, one such file, or
 * the text itself (it holds a line feed) */
export function runTranscripts(source: string, players: Players): void {
  const files = source.includes('\n') ? [{ file: 'inline', text: source }] : filesOf(source);
  if (files.length === 0) throw new Error(`no transcripts in ${source}`);
  for (const { file, text } of files) {
    describe(basename(file), () => {
      for (const script of parseScripts(text, file)) {
        describe(`${script.rfc}: ${script.title}`, () => {
          for (const how of script.replays) test(how, () => replay(script, how, players));
        });
      }
    });
  }
}

function filesOf(path: string): { file: string; text: string }[] {
  if (!statSync(path).isDirectory()) return [{ file: relative('.', path), text: readFileSync(path, 'utf8') }];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  const found = names.filter((name) => name.endsWith('.transcript')).sort();
  return found.map((name) => ({ file: relative('.', join(path, name)), text: readFileSync(join(path, name), 'utf8') }));
}

/** Plays one transcript once. @throws Error that names file and line, and shows what was said before */
export async function replay(script: Script, how: Replay, players: Players): Promise<void> {
  const open = new Map<number, Conversation>();
  const connect = async (client: number): Promise<Conversation> => {
    const socket = await players.connect(client, script);
    const conversation = new Conversation(socket, how, players.patience ?? PATIENCE);
    open.set(client, conversation);
    return conversation;
  };
  const stage: Stage = {
    script,
    bindings: new Map(),
    conversation: async (client) => open.get(client) ?? (await connect(client)),
  };
  await players.before?.(script);
  let at = script.at;
  let speaking: Conversation | undefined;
  try {
    for (const condition of script.given) await make(condition, stage, players.given ?? []);
    for (const turn of turnsOf(script.steps)) {
      const first = turn[0];
      at = first.at;
      speaking = first.kind === 'connect' ? await connect(first.client) : await stage.conversation(first.client);
      await play(turn, speaking, stage.bindings, (line) => {
        at = line;
      });
    }
    for (const [client, conversation] of open) {
      speaking = conversation;
      const [line] = await conversation.leftOver();
      if (line !== undefined) throw new Error(`at the end, S${client} still said: ${line}`);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const heard = speaking?.said.slice(-12).join('\n  ') ?? '';
    throw new Error(`${script.file}:${at} (${how}): ${reason}\n  ${heard}`, { cause: error });
  } finally {
    for (const conversation of open.values()) await conversation[Symbol.asyncDispose]();
    await players.after?.(script);
  }
}

async function make(condition: string, stage: Stage, hooks: readonly Given[]): Promise<void> {
  for (const hook of hooks) {
    const match = hook.when.exec(condition);
    if (match?.[0] === condition) return hook.make(match, stage);
  }
  throw new Error(`nothing makes this true: ${condition}`);
}

type Turn = readonly [Step, ...Step[]];

/** C lines of one client in a row are one turn: they leave together, as a pipelining client would send them. */
function turnsOf(steps: readonly Step[]): Turn[] {
  const turns: [Step, ...Step[]][] = [];
  for (const step of steps) {
    const last = turns.at(-1);
    if (last !== undefined && step.kind === 'send' && last[0].kind === 'send' && last[0].client === step.client) {
      last.push(step);
    } else turns.push([step]);
  }
  return turns;
}

async function play(
  turn: Turn,
  speaking: Conversation,
  bindings: Bindings,
  reach: (at: number) => void,
): Promise<void> {
  const [step] = turn;
  switch (step.kind) {
    case 'send': {
      const sent = turn.map((each) =>
        each.kind === 'send' ? octetsOf(each.text, each.raw, bindings) : Buffer.alloc(0),
      );
      return speaking.send(Buffer.concat(sent));
    }
    case 'expect':
      return expectLines(step.lines, speaking, bindings, reach);
    case 'negotiate':
      return speaking.negotiate();
    case 'handshake-fails': {
      const agreed = await speaking.negotiate().then(
        () => true,
        () => false,
      );
      if (agreed) throw new Error('the handshake succeeded');
      return;
    }
    case 'client-closes':
      return speaking.close();
    case 'client-resets':
      return speaking.reset();
    case 'server-closes':
      return speaking.closed();
    case 'connect':
      return;
    default:
      step satisfies never;
  }
}

async function expectLines(
  lines: readonly { readonly text: string; readonly at: number }[],
  speaking: Conversation,
  bindings: Bindings,
  reach: (at: number) => void,
): Promise<void> {
  const left = [...lines];
  while (left.length > 0) {
    reach(left[0]?.at ?? 0);
    const wanted = left.map((line) => line.text).join('\n  or  ');
    const said = await speaking.line().catch((error: unknown) => {
      throw new Error(`expected  ${wanted}\n  but ${error instanceof Error ? error.message : String(error)}`);
    });
    if (said === null) throw new Error(`expected  ${wanted}\n  but the server closed`);
    const index = left.findIndex((line) => capture(expressionOf(line.text, bindings), said, bindings));
    if (index < 0) throw new Error(`expected  ${wanted}\n  but got   ${said}`);
    left.splice(index, 1);
  }
}

function capture(expression: RegExp, said: string, bindings: Bindings): boolean {
  const match = expression.exec(said);
  for (const [name, value] of Object.entries(match?.groups ?? {})) bindings.set(name, value);
  return match !== null;
}
