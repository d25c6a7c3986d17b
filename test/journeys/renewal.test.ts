// PORTS H8: a certificate that was renewed is in force by the next day, without a restart or a signal.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { Identity } from '../../src/platform/tls.ts';
import { makeTestIdentity } from '../smtp/test-identity.ts';
import { createWorld } from '../world.ts';

const DAY = 24 * 3_600_000;

const files = ({ data }: Pick<Config, 'data'>) => [join(data, '../own.pem'), join(data, '../own.key')] as const;

async function install(config: Config, { certificate, key }: Identity): Promise<void> {
  const [certificateFile, keyFile] = files(config);
  await Promise.all([writeFile(certificateFile, certificate), writeFile(keyFile, key)]);
}

test('H8: renewed files are served to the next connection after a day, and expired ones are told of each day', async () => {
  const [first, second] = [await makeTestIdentity('mail.example.test'), await makeTestIdentity('mail.example.test')];
  await using world = await createWorld({
    configure: (config) => {
      const [certificate, key] = files(config);
      return { ...config, tls: { ...config.tls, certificates: [certificate], keys: [key] } };
    },
    before: (config) => install(config, first),
  });
  const { here, clock, records } = world;
  const trusted = async ({ certificate }: Identity): Promise<boolean> => {
    const socket = connect({
      port: here.port(993),
      servername: 'mail.example.test',
      ca: certificate,
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    socket.destroy();
    return socket.authorized;
  };
  expect(await trusted(first)).toBe(true);
  await install(here.config, second);
  expect(await trusted(second)).toBe(false);
  const [certificate] = files(here.config);
  const told = () => records.filter(({ level, file }) => level === 40 && file === certificate).length;
  const before = told();
  clock.advance(DAY);
  await expect.poll(() => trusted(second)).toBe(true);
  expect(told()).toBe(before + 1);
  clock.advance(DAY);
  await expect.poll(told).toBe(before + 2);
});
