// What root's verbs leave in a store where no server runs: nothing that its user could not go on with. Where the tests are
// not root's, or others cannot read the program, the user is the one who runs them.

import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { launch, site } from './postern.ts';

const NOBODY = 65_534;

/** From a path to the root. */
const ways = (path: string): string[] => (dirname(path) === path ? [path] : [path, ...ways(dirname(path))]);

it("what root's verbs make is that of the user whose folder it is in", async () => {
  const own = process.getuid?.() ?? 0;
  const user = own === 0 && ways(dirname(launch)).every((each) => statSync(each).mode & 1) ? NOBODY : own;
  await using place = await site();
  const home = join(place.folder, 'home');
  mkdirSync(home);
  chownSync(home, user, user === NOBODY ? NOBODY : (process.getgid?.() ?? 0));
  chmodSync(place.folder, 0o711);
  const env = { POSTERN_DATA: join(home, 'data'), POSTERN_PASSWORD: 'looking glass' };
  for (const args of [
    ['account', 'add', 'carol@example.test'],
    ['dns'],
    ['account', 'add', 'dave@example.test', '--alias', 'd@example.test'],
    ['account', 'remove', 'carol@example.test'],
    ['account', 'list'],
  ])
    expect(await place.run(args, { env }), args.join(' ')).toMatchObject({ code: 0, stderr: '' });
  const made = readdirSync(home, { recursive: true, encoding: 'utf8' });
  expect(made).toEqual(expect.arrayContaining(['data/mail.db', 'data/epoch', 'data/dkim/example.test']));
  const others = made.filter((name) => statSync(join(home, name)).uid !== user);
  expect(others).toEqual([]);
});
