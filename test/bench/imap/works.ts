// The works of IMAP, one after another on one server: each builds on the mailbox that those before it have left.

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ImapClient } from '../../clients/imap.ts';
import type { Figures } from '../figures.ts';
import { doorOf, type LoadedServer, loginOf, USERS } from '../server.ts';
import { dropCaches, settle } from '../settling.ts';
import { median, quantiles, round } from '../statistics.ts';
import { countSyncs } from '../syncs.ts';
import { type Timed, timed, timedOften } from '../timing.ts';
import { NEEDLES } from './corpus.ts';
import { CountingClient } from './counting-client.ts';

const METADATA = 'UID FLAGS ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE';
const BOX = 'bench';
/** Messages of one MULTIAPPEND. */
const AT_ONCE = 100;
const LOGIN_SESSIONS = 10;
const CLIENTS = 50;
const BODIES = 100;
/** Runs of what is quick, of which the median counts. */
const OFTEN = 5;

export interface ImapLoad {
  readonly corpus: readonly Buffer[];
  /** Seconds of logging in. */
  readonly loginSeconds: number;
}

const open = (server: LoadedServer): Promise<CountingClient> => CountingClient.open(server.clearImap, loginOf(1));

/** Puts `results` beside the figures: what both servers must agree on before their times are compared. */
const figures = (
  values: Figures['values'],
  results: Figures['results'] & object,
  details: unknown,
  unsound: readonly string[] = [],
): Figures => ({ values, results, details, unsound });

/** Runs all works. @param note hears of each as it ends */
export async function runImapWorks(
  server: LoadedServer,
  load: ImapLoad,
  note: (work: string, figures: Figures) => void,
): Promise<ReadonlyMap<string, Figures>> {
  const done = new Map<string, Figures>();
  const keep = (work: string, made: Figures): void => {
    done.set(work, made);
    note(work, made);
  };
  keep('multiappend', await multiAppend(server, load));
  keep('append', await append(server, load));
  const behind = await settle(server);
  keep('select', await select(server, load));
  keep('metadata', await metadata(server));
  keep('bodies', await bodies(server));
  for (const key of ['SUBJECT', 'FROM', 'BODY', 'TEXT'] as const)
    keep(`search-${key}`, await search(server, key, behind));
  keep('sort', await ordered(server, ['SORT (SUBJECT) UTF-8 ALL', 'SORT (REVERSE DATE) UTF-8 ALL'], behind));
  keep('thread', await ordered(server, ['THREAD REFERENCES UTF-8 ALL'], behind));
  keep('store', await store(server));
  keep('clients', await clients(server, load));
  keep('copy', await copy(server));
  keep('expunge', await expunge(server));
  keep('login', await login(server, load));
  return done;
}

/** Makes the mailbox anew, empty. */
async function remake(client: CountingClient, mailbox: string): Promise<void> {
  await client.run(`DELETE "${mailbox}"`).catch(() => undefined); // it need not be there
  await client.run(`CREATE "${mailbox}"`);
}

async function status(client: CountingClient, mailbox: string, item: string): Promise<number> {
  let value = Number.NaN;
  await client.run(`STATUS "${mailbox}" (${item})`, (text) => {
    value = Number(/\d+/.exec(text.slice(text.lastIndexOf('(')))?.[0]);
  });
  return value;
}

async function appended(
  server: LoadedServer,
  { corpus }: ImapLoad,
  { atOnce, mailboxes }: { readonly atOnce: number; readonly mailboxes: readonly string[] },
  unsound: readonly string[],
): Promise<Figures> {
  using client = await open(server);
  const runs: Timed<unknown>[] = [];
  let messages = 0;
  let lost = 0;
  for (const mailbox of mailboxes) {
    await remake(client, mailbox);
    const made = await timed(server, async () => {
      for (let at = 0; at < corpus.length; at += atOnce) await client.append(mailbox, corpus.slice(at, at + atOnce));
    });
    runs.push(made);
    messages = await status(client, mailbox, 'MESSAGES');
    lost += corpus.length - messages;
  }
  const perSecond = round(corpus.length / (median(runs.map((run) => run.ms)) / 1000), 1);
  const serverCpuMsPerMessage = round(median(runs.map((run) => run.serverCpuMs)) / corpus.length, 3);
  const all = [...unsound, ...(lost === 0 ? [] : [`${lost} messages lost`])];
  return figures({ perSecond, serverCpuMsPerMessage }, { messages }, runs, all);
}

/** Is each on disk when the server says so? Looked at beside the timed run, which it would slow. */
async function append(server: LoadedServer, load: ImapLoad): Promise<Figures> {
  using client = await open(server);
  await remake(client, 'synced');
  const message = load.corpus[0] ?? Buffer.from('\r\n');
  const { messages, syncs } = await countSyncs(server, async () => {
    await client.append('synced', [message]);
  });
  await client.run('DELETE "synced"');
  const lazy = syncs < messages ? [`${server.name} synced ${syncs} times for ${messages} messages`] : [];
  return await appended(server, load, { atOnce: 1, mailboxes: [BOX] }, lazy);
}

async function multiAppend(server: LoadedServer, load: ImapLoad): Promise<Figures> {
  using client = await open(server);
  if (!client.capabilities.has('MULTIAPPEND')) {
    return figures({ perSecond: Number.NaN }, {}, null, [`${server.name} offers no MULTIAPPEND`]);
  }
  const mailboxes = ['many 1', 'many 2', 'many 3'];
  const made = await appended(server, load, { atOnce: AT_ONCE, mailboxes }, []);
  for (const mailbox of mailboxes) await client.run(`DELETE "${mailbox}"`);
  await settle(server);
  return made;
}

async function selected(client: CountingClient, mailbox = BOX): Promise<number> {
  let exists = Number.NaN;
  await client.run(`SELECT "${mailbox}"`, (text) => {
    if (text.endsWith(' EXISTS')) exists = Number(/\d+/.exec(text)?.[0]);
  });
  return exists;
}

async function select(server: LoadedServer, { corpus }: ImapLoad): Promise<Figures> {
  using client = await open(server);
  const undropped = await dropCaches();
  const cold = await timed(server, () => selected(client));
  const warm: number[] = [];
  for (let run = 0; run < 4 * OFTEN; run++) {
    await client.run('UNSELECT');
    // By hand: what `timed` reads before each run makes even a NOOP half a millisecond longer.
    const begun = performance.now();
    await selected(client);
    warm.push(round(performance.now() - begun));
  }
  const times = quantiles(warm);
  return figures(
    { coldMs: cold.ms, warmMs: times?.p50 ?? Number.NaN },
    { messages: cold.result },
    { cold, warm: times },
    [...undropped, ...(cold.result === corpus.length ? [] : ['the mailbox lacks messages'])],
  );
}

/** Runs a FETCH. @returns responses, and octets of their literals */
async function fetched(client: CountingClient, line: string): Promise<{ messages: number; octets: number }> {
  let messages = 0;
  let octets = 0;
  await client.run(line, (text, literals) => {
    if (!text.includes(' FETCH (')) return;
    messages++;
    octets += literals;
  });
  return { messages, octets };
}

async function metadata(server: LoadedServer): Promise<Figures> {
  using client = await open(server);
  await selected(client);
  const undropped = await dropCaches();
  const cold = await timed(server, () => fetched(client, `FETCH 1:* (${METADATA})`));
  const warm = await timedOften(server, OFTEN, () => fetched(client, `FETCH 1:* (${METADATA})`));
  const [last] = warm.result.slice(-1);
  return figures(
    { coldMs: cold.ms, warmMs: warm.ms, warmCpuMs: warm.serverCpuMs },
    { cold: cold.result.messages, warm: last?.messages ?? 0 },
    { cold, warm },
    undropped,
  );
}

async function bodies(server: LoadedServer): Promise<Figures> {
  using client = await open(server);
  await selected(client);
  const run = await timedOften(server, 3, () => fetched(client, 'UID FETCH 1:* (UID BODY.PEEK[])'));
  const { messages = 0, octets = 0 } = run.result[0] ?? {};
  const megabytesPerSecond = round(octets / 1e6 / (run.ms / 1000), 1);
  return figures({ megabytesPerSecond, serverCpuMs: run.serverCpuMs }, { messages, octets }, run);
}

async function search(server: LoadedServer, key: keyof typeof NEEDLES, behind: readonly string[]): Promise<Figures> {
  using client = await open(server);
  await selected(client);
  const run = await timedOften(server, 3, () => answer(client, `SEARCH ${key} "${NEEDLES[key]}"`));
  const found = run.result[0] ?? '';
  const hits = found.split(' ').filter((word) => /^\d+$/.test(word)).length;
  const unsound = hits === 0 ? [...behind, 'nothing was found'] : behind;
  return figures(
    { ms: run.ms, serverCpuMs: run.serverCpuMs },
    { hits, found: digest(found) },
    { ...run, hits },
    unsound,
  );
}

/** SORT or THREAD, whose answers must be the same to the last number. */
async function ordered(server: LoadedServer, lines: readonly string[], behind: readonly string[]): Promise<Figures> {
  using client = await open(server);
  await selected(client);
  const run = await timedOften(server, 3, async () => {
    const answers: string[] = [];
    for (const line of lines) answers.push(digest(await answer(client, line)));
    return answers.join(' ');
  });
  return figures({ ms: run.ms, serverCpuMs: run.serverCpuMs }, { answer: run.result[0] ?? '' }, run, behind);
}

async function answer(client: CountingClient, line: string): Promise<string> {
  const name = `* ${line.slice(0, line.indexOf(' '))}`;
  let said = '';
  await client.run(line, (text) => {
    if (text.startsWith(name)) said += text.trimEnd();
  });
  return said;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

async function store(server: LoadedServer): Promise<Figures> {
  using client = await open(server);
  await selected(client);
  const times: number[] = [];
  let flagged = 0;
  let cpu = 0;
  for (let run = 0; run < OFTEN; run++) {
    const made = await timed(server, () => client.run('STORE 1:* +FLAGS.SILENT (\\Flagged)'));
    times.push(made.ms);
    cpu = made.serverCpuMs;
    const found = await answer(client, 'SEARCH FLAGGED');
    flagged = found.split(' ').length - 2;
    await client.run('STORE 1:* -FLAGS.SILENT (\\Flagged)');
  }
  return figures({ ms: quantiles(times)?.p50 ?? Number.NaN, serverCpuMs: cpu }, { flagged }, times);
}

async function copy(server: LoadedServer): Promise<Figures> {
  using client = await open(server);
  await selected(client);
  const runs: Timed<unknown>[] = [];
  for (let run = 0; run < OFTEN; run++) {
    await remake(client, 'copied');
    runs.push(await timed(server, () => client.run('COPY 1:* "copied"')));
  }
  const messages = await status(client, 'copied', 'MESSAGES');
  const ms = median(runs.map((run) => run.ms));
  const serverCpuMs = median(runs.map((run) => run.serverCpuMs));
  return figures({ ms, serverCpuMs }, { messages }, runs);
}

async function expunge(server: LoadedServer): Promise<Figures> {
  using client = await open(server);
  await selected(client, 'copied');
  await client.run('STORE 1:* +FLAGS.SILENT (\\Deleted)');
  let gone = 0;
  const run = await timed(server, () =>
    client.run('EXPUNGE', (text) => {
      if (text.endsWith(' EXPUNGE')) gone++;
    }),
  );
  await client.run('UNSELECT');
  const left = await status(client, 'copied', 'MESSAGES');
  return figures({ ms: run.ms, serverCpuMs: run.serverCpuMs }, { gone, left }, run);
}

async function login(server: LoadedServer, { loginSeconds }: ImapLoad): Promise<Figures> {
  let resumed = 0;
  let failed = 0;
  let next = 0;
  const waits: number[] = [];
  const run = await timed(server, async () => {
    const end = performance.now() + loginSeconds * 1000;
    const session = async (): Promise<void> => {
      while (performance.now() < end) {
        const begun = performance.now();
        try {
          const client = await ImapClient.open(doorOf(server, 993, 'implicit'), loginOf(1 + (next++ % USERS)));
          waits.push(performance.now() - begun);
          if (client.link.secure?.isSessionReused()) resumed++;
          await client.logout();
        } catch {
          failed++;
          await sleep(10);
        }
      }
    };
    await Promise.all(Array.from({ length: LOGIN_SESSIONS }, session));
  });
  const perSecond = round(waits.length / (run.ms / 1000), 1);
  const serverCpuMsPerLogin = round(run.serverCpuMs / Math.max(1, waits.length), 2);
  return figures({ perSecond, serverCpuMsPerLogin }, { failed }, { ...run, waits: quantiles(waits) }, [
    ...(failed > 0 ? [`${failed} logins failed`] : []),
    ...(resumed > 0 ? [`${resumed} TLS sessions resumed`] : []),
  ]);
}

/** Fifty at once select the mailbox, read the metadata of all, then bodies here and there. */
async function clients(server: LoadedServer, { corpus }: ImapLoad): Promise<Figures> {
  const readers: CountingClient[] = [];
  try {
    for (let at = 0; at < CLIENTS; at++) readers.push(await open(server));
    const run = await timed(server, async () => {
      const counts = readers.map(async (reader, place) => {
        await selected(reader);
        let { messages } = await fetched(reader, `FETCH 1:* (${METADATA})`);
        let octets = 0;
        for (let count = 0; count < BODIES; count++) {
          const number = 1 + ((place * 7919 + count * 104_729) % corpus.length);
          const body = await fetched(reader, `FETCH ${number} (BODY.PEEK[])`);
          messages += body.messages;
          octets += body.octets;
        }
        return { messages, octets };
      });
      return await Promise.all(counts);
    });
    const messages = run.result.reduce((all, each) => all + each.messages, 0);
    const octets = run.result.reduce((all, each) => all + each.octets, 0);
    const { ms, serverCpuMs } = run;
    return figures({ ms, serverCpuMs }, { messages, octets }, { ms, serverCpuMs, messages, octets });
  } finally {
    for (const reader of readers) reader[Symbol.dispose]();
  }
}
