// What a program says: run without a shell, for a bounded time, its output bounded. For small secrets that something else
// on this machine renews.

import { execFile } from 'node:child_process';

/** ms, and octets of its output. */
const LIMITS = { time: 30_000, output: 64 * 1024 } as const;

/**
 * Standard output of a command. Its standard error goes nowhere, since it might repeat a secret.
 * @throws Error with a text that holds nothing of what the program has said
 */
export function commandOutput(command: readonly string[]): Promise<string> {
  const [program = '', ...args] = command;
  const options = { timeout: LIMITS.time, maxBuffer: LIMITS.output, encoding: 'utf8', killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${failure(error)}`));
    });
    // Nothing is said to it, and it need not listen.
    child.stdin?.on('error', () => undefined).end();
  });
}

function failure({ code, signal, killed }: { code?: unknown; signal?: unknown; killed?: boolean | undefined }): string {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'says too much';
  if (killed === true) return 'takes too long';
  return typeof code === 'number' ? `ended with ${code}` : `cannot be run (${code ?? signal})`;
}
