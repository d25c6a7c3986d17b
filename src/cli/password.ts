// Where a verb's password comes from: a terminal without echo, standard input, or POSTERN_PASSWORD. Never an argument,
// which every user of the machine could read.

import { StringDecoder } from 'node:string_decoder';
import { type Context, EXIT, Failure } from './context.ts';

/** Characters of a password typed at a terminal, or of the first line of standard input: one more than is usable, so that
 * a longer one is refused and not cut. */
const MAX_LENGTH = 1025;

/** @param label what is asked for. @throws Failure if there is none */
export async function askPassword(context: Context, label: string): Promise<string> {
  const { env, stdin } = context;
  const given = env.POSTERN_PASSWORD;
  const password = given || (stdin.isTTY ? await typed(context, label) : await firstLine(context));
  if (password === '') throw new Failure('no password was given', EXIT.usage);
  return password;
}

/** What follows the first line is not read. */
async function firstLine({ stdin }: Context): Promise<string> {
  const decoder = new StringDecoder('utf8');
  let text = '';
  for await (const chunk of stdin) {
    text += decoder.write(chunk as Buffer); // no encoding has been set
    if (text.includes('\n') || text.length > MAX_LENGTH) break;
  }
  const end = text.search(/\r?\n/);
  return (end < 0 ? text + decoder.end() : text.slice(0, end)).slice(0, MAX_LENGTH);
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
        else if (text.length < MAX_LENGTH) text += key;
      }
    };
    stdin.on('data', hear);
    stdin.resume();
  });
}
