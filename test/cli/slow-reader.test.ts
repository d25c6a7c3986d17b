// Verbs whose output is read later, as by a pager: a server can start meanwhile, and all that was printed arrives.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { type RunningServer, startServer } from '../../src/serve.ts';
import { acceptance, dispatchTo, letter } from '../store/mail.ts';
import { bare, launch, linesOf, type Site, site } from './postern.ts';

/** Enough that no list fits into a pipe, which holds 64 KB, and those that have pages have several. */
const ENTRIES = 900;
const REPORTS = 450;
const ALIASES = 1_000;

/** Reads one octet, says so, and waits for a line before it reads on. */
const SLOW = [
  'exec 3<&0; { "$0" "$@" 3<&- </dev/null; echo "ended with $?" >&2; } |',
  '{ head -c 1; echo begun >&2; read -r _ <&3; cat; }',
].join(' ');

let place: Site;

async function server(): Promise<RunningServer> {
  const config = await loadConfig({ file: place.config, env: {}, cwd: place.folder });
  return await startServer(config, { log: pino({ level: 'silent' }) });
}

beforeAll(async () => {
  place = await site();
  await using running = await server();
  const { store } = running;
  const later = Date.now() + 24 * 3_600_000;
  const dispatch = dispatchTo(...Array.from({ length: ENTRIES }, (_, at) => `r${at}@far.test` as const));
  const entries = dispatch.entries.map((entry) => ({ ...entry, nextAt: later, expiresAt: later, warnAt: null }));
  await store.execute(await acceptance(store, letter('waits'), [], { ...dispatch, entries }));
  await store.execute<'put-account'>({
    kind: 'put-account',
    address: 'list@example.test',
    aliases: Array.from({ length: ALIASES }, (_, at) => `${String(at).padStart(60, 'x')}@example.test`),
    quota: null,
    password: null,
    seeded: false,
    existing: 'fail',
  });
  const rows = Array.from({ length: REPORTS }, (_, position) => ({
    organization: 'Far Away',
    contact: 'tls@far.test',
    signer: 'far.test',
    reportId: 'many',
    position,
    startAt: 0,
    endAt: 1_000,
    receivedAt: Date.now(),
    policy: 'sts' as const,
    domain: 'example.test',
    policyText: ['version: STSv1', `mx: ${'m'.repeat(100)}.example.test`],
    mxHosts: ['mail.example.test'],
    successes: 1,
    failures: 0,
    details: [],
  }));
  await store.execute<'put-received-tls-report'>({ kind: 'put-received-tls-report', rows, forget: 0 });
});
afterAll(() => place[Symbol.asyncDispose]());

/** A verb with a reader that has read nothing but its first octet. */
async function begin(verb: readonly string[]) {
  const args = ['-c', SLOW, process.execPath, launch, '--config', place.config, ...verb];
  const child = spawn('sh', args, { cwd: place.folder, env: bare() });
  const closed = once(child, 'close');
  const printed = text(child.stdout);
  let said = '';
  await new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (words) => {
      said += words;
      if (said.includes('begun')) resolve();
    });
    child.once('close', () => resolve());
  });
  return {
    said: () => linesOf(said),
    async rest(): Promise<unknown> {
      child.stdin.end('\n');
      await closed;
      return JSON.parse(await printed);
    },
  };
}

it('a server starts while lists are read, and they are whole in the end', async () => {
  const verbs = [['queue', 'list'], ['tls-reports'], ['account', 'list']];
  const begun = await Promise.all(verbs.map((verb) => begin([...verb, '--json'])));
  {
    await using _ = await server();
    expect((await place.run(['health'])).code).toBe(0);
    expect((await place.run(['account', 'list'])).code).toBe(0);
  }
  // Nobody has ended before their reader has it all.
  expect(begun.map(({ said }) => said())).toEqual(verbs.map(() => ['begun']));
  const [queued, reported, accounts] = await Promise.all(begun.map(({ rest }) => rest()));
  expect(queued).toHaveLength(ENTRIES);
  expect(reported).toHaveLength(REPORTS);
  expect(accounts).toMatchObject([{ address: 'alice@example.test' }, { aliases: { length: ALIASES } }]);
  expect(begun.map(({ said }) => said())).toEqual(verbs.map(() => ['begun', 'ended with 0']));
});
