// What SIGHUP cannot put in force: said once for each reload, by name. What it does put in force stands in serve.test.ts.

import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Program } from '../process/program.ts';

const RELAY = [
  '[relay]',
  'smarthost = "smtp://127.0.0.1:9"',
  '[[relay.credentials]]',
  'host = "127.0.0.1"',
  'user = "u"',
  'password = "s3cret-one"',
];
const CAROL = '[[account]]\naddress = "carol@example.test"\npassword = "x"\n';

it('what waits for a restart is named, in one line and without its value', async () => {
  await using program = await Program.start({ logLevel: 'info', more: RELAY.join('\n') });
  const text = await readFile(program.config, 'utf8');
  let rounds = 0;
  /** @returns what has been said of settings so far */
  const reload = async (config: string) => {
    await writeFile(program.config, config);
    process.kill(program.pid, 'SIGHUP');
    rounds += 1;
    await expect.poll(() => program.output.filter((line) => line.includes('accounts read again')).length).toBe(rounds);
    return program.output.filter((line) => line.includes('settings'));
  };
  // An account is taken at once, and another way to write the same is no change.
  expect(await reload(`${text.replace('connections = 5000', 'connections = 5_000')}${CAROL}`)).toEqual([]);
  const changed = text
    .replace('"mail.example.test"', '"mx.example.test"')
    .replace('connections = 5000', 'connections = 4000')
    .replace('port = 0', 'port = 2525')
    .replace('s3cret-one', 's3cret-two');
  const [line = '', ...more] = await reload(changed);
  expect(more).toEqual([]);
  // Carol is not in this one.
  const left = () => program.output.filter((each) => each.includes('have left the configuration'));
  await expect.poll(left).toEqual([expect.stringContaining('carol@example.test')]);
  for (const name of ['hostname', 'listener', 'relay.credentials', 'limits.connections']) expect(line).toContain(name);
  for (const name of ['account', 'connections_per_source', 'domains', 'log.level']) expect(line).not.toContain(name);
  // As long as it waits.
  expect(await reload(changed)).toHaveLength(2);
  expect(await reload(text)).toHaveLength(2);
  expect(program.output.join('\n')).not.toContain('s3cret');

  // Also where nothing else can be taken: nobody would be postmaster.
  const domains = '["example.test", "other.test"]';
  await writeFile(program.config, text.replace('postmaster@', 'someone@').replace('["example.test"]', domains));
  process.kill(program.pid, 'SIGHUP');
  await expect.poll(() => program.output.filter((each) => each.includes('not read again')).length).toBe(1);
  const [last = ''] = program.output.filter((each) => each.includes('settings')).slice(2);
  expect(last).toContain('domains');
});
