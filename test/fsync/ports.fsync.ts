// What 250 means, seen from outside: while the program is traced, a hundred messages go to each port, one after another.
// Between the last octet of each that is read and its 250 the store is written and synced. kill -9 does not show this:
// what the kernel holds outlives the process. Needs strace.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SmtpClient } from '../clients/smtp.ts';
import { PASSWORD, Program, userAddress, userName } from '../process/program.ts';
import { callsOf, isSynced, TRACED, turnsOf } from './trace.ts';

const MESSAGES = 100;
/** Octets of a content, more than any other thing that a client says: a turn with as many is a content. */
const CONTENT = 8_000;
const PATIENCE = 60_000;

const gates = [
  { gate: 25, tls: 'none', by: 'DATA' },
  { gate: 25, tls: 'none', by: 'BDAT' },
  { gate: 465, tls: 'implicit', by: 'DATA' },
  { gate: 587, tls: 'starttls', by: 'DATA' },
] as const;

/** strace ends a moment after what it has traced. */
async function wholeTrace(file: string, pid: number): Promise<string> {
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(20)) {
    const trace = await readFile(file, 'utf8');
    if (new RegExp(`^${pid} +\\+\\+\\+ exited`, 'm').test(trace)) return trace;
  }
  throw new Error('the trace has no end');
}

test.for(gates)('port $gate, $by: each message is on disk before its 250', async ({ gate, tls, by }) => {
  await using program = await Program.start({
    under: (folder) => [
      ...['strace', '-D', '-f', '-q', '-yy', '-s', '0', '--seccomp-bpf', '-e', 'signal=none'],
      ...['-e', `trace=${TRACED}`, '-o', join(folder, 'trace')],
    ],
  });
  const { pid } = program;
  const login = gate === 25 ? undefined : { user: userName(1), password: PASSWORD };
  const client = await SmtpClient.open({ port: program.port(gate), tls }, login);
  const port = client.link.socket.localPort ?? 0;
  const header = `From: <${userAddress(1)}>\r\nTo: <${userAddress(2)}>\r\n\r\n`;
  for (let number = 0; number < MESSAGES; number++) {
    const content = `Subject: ${number}\r\n${header}${`${'x'.repeat(78)}\r\n`.repeat(CONTENT / 80)}`;
    if (by === 'BDAT') await client.sendChunks(userAddress(1), [userAddress(2)], [Buffer.from(content)]);
    else await client.send(userAddress(1), [userAddress(2)], `${content}.\r\n`);
  }
  await client.quit();
  expect(await program.stop()).toBe(0);
  const calls = callsOf(await wholeTrace(join(program.folder, 'trace'), pid));
  const contents = turnsOf(calls, port).filter(({ octets }) => octets >= CONTENT);
  expect(contents).toHaveLength(MESSAGES);
  expect(contents.filter((turn) => !isSynced(calls, turn))).toEqual([]);
});
