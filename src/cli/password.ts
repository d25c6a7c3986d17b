// Where a verb's password comes from: a terminal without echo, standard input, or POSTERN_PASSWORD. Never an argument,
// which every user of the machine could read.

import { createInterface } from 'node:readline';
import type { Context } from './context.ts';
import { EXIT, Failure } from './context.ts';

/** Characters of a password typed at a terminal. */
const MAX_TYPED = 1024;

/** @param label what is asked for. @throws Failure if there is none */
export async function askPassword(context: Context, label: string): Promise<string> {
  const { env, stdin } = context;
  const given = env.POSTERN_PASSWORD;
  const password = given || (stdin.isTTY ? await typed(context, label) : await firstLine(context));
  if (password === '') throw new Failure('no password was given', EXIT.usage);
  return password;
}

async function firstLine({ stdin }: Context): Promise<string> {
  for await (const line of createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })) return line;
  return '';
}

/** Reads a line without showing it. */
function typed({ stdin, stderr }: Context, label: string): Promise<string> {
  stderr.write(`${label}: `);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (finish: () => void) => {
      stdin.off('data', hear);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
      finish();
    };
    const hear = (keys: string) => {
      for (const key of keys) {
        if (key === '\r' || key === '\n' || key === '\x04') return end(() => resolve(text));
        if (key === '\x03') return end(() => reject(new Failure('nothing was changed')));
        if (key === '\x7f' || key === '\b') text = [...text].slice(0, -1).join('');
        else if (text.length < MAX_TYPED) text += key;
      }
    };
    stdin.on('data', hear);
    stdin.resume();
  });
}
