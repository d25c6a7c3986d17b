// The login that the configuration holds for a smarthost, as the client asks for it: a file or a command anew at each login,
// so that a password that was changed or a token that was renewed counts at once.

import type { LoginConfig } from '../config/config.ts';
import { readBounded } from '../platform/bounded-file.ts';
import { commandOutput } from '../platform/command-output.ts';
import type { Credentials } from '../smtp/client/authentication.ts';

/** Octets of a file with a password or token. */
const MAX_FILE = 64 * 1024;

export function credentialsOf({ user, mechanism, secret }: LoginConfig): Credentials {
  return {
    user,
    mechanism,
    async secret() {
      switch (secret.kind) {
        case 'password':
          return { kind: 'password', text: secret.text };
        case 'password-file':
          return { kind: 'password', text: firstLine(await fileText(secret.path), secret.path) };
        case 'token-file':
          return { kind: 'token', text: firstLine(await fileText(secret.path), secret.path).trim() };
        case 'token-command':
          return {
            kind: 'token',
            text: firstLine(await commandOutput(secret.command), secret.command[0] ?? '').trim(),
          };
      }
    },
  };
}

async function fileText(path: string): Promise<string> {
  try {
    return (await readBounded(path, MAX_FILE)).toString('utf8');
  } catch (error) {
    // What the file system throws.
    throw new Error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** What follows the first line end is none of the secret. @throws Error where nothing is left */
function firstLine(text: string, source: string): string {
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  if (line.trim() === '' || line.includes('\0')) throw new Error(`${source} holds no secret in its first line`);
  return line;
}
