// Who vouches for users by certificate: `client_ca` of a listener.

import { expect, it } from 'vitest';
import { FILE, LEAST, LISTENER, load } from './written.ts';

it('the authorities of clients are files, and the line that names them is known', async () => {
  const named = async (text: string) =>
    (await load([...LEAST, ...LISTENER, `client_ca = ${text}`])).listeners.map(({ clients }) => clients);
  expect(await named('"/etc/users.pem"')).toEqual([{ files: ['/etc/users.pem'], place: { file: FILE, line: 7 } }]);
  expect(await named('["one.pem", "/two.pem"]')).toMatchObject([
    { files: [expect.stringMatching(/^\/.+\/one\.pem$/), '/two.pem'] },
  ]);
  expect(await named('[]')).toEqual([null]);
  const env = { POSTERN_LISTENER_1: 'role=imap;port=993;tls=implicit;client_ca=/one.pem,/two.pem' };
  expect((await load(LEAST, env)).listeners).toMatchObject([
    { clients: { files: ['/one.pem', '/two.pem'], place: { file: 'POSTERN_LISTENER_1', line: 0 } } },
  ]);
});
