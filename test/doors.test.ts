// Each role's TLS floor, at the doors of a whole server: what an old client gets on which port.

import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LineSocket } from './clients/line-socket.ts';
import { createWorld, type Gate, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** What is said before the handshake. */
const STARTTLS: Readonly<Record<Gate, readonly string[]>> = {
  25: ['EHLO old.test', 'STARTTLS'],
  465: [],
  587: ['EHLO old.test', 'STARTTLS'],
  993: [],
  143: ['a STARTTLS'],
  995: [],
  110: ['STLS'],
};
const GATES: readonly Gate[] = [25, 465, 587, 993, 143, 995, 110];

/** Shakes hands as a client of this version at most. @returns the version that came about, or null */
async function handshake(gate: Gate, maxVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string | null> {
  const tlsOptions: ConnectionOptions = { minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT:@SECLEVEL=0' };
  const words = STARTTLS[gate];
  const door = { port: world.here.port(gate), tls: words.length === 0 ? 'implicit' : 'starttls', tlsOptions } as const;
  try {
    using link = await LineSocket.open(door);
    if (words.length > 0) await link.line();
    for (const word of words) {
      link.write(`${word}\r\n`);
      while (/^\d\d\d-/.test(await link.line()));
    }
    if (words.length > 0) await link.upgrade();
    return link.secure?.getProtocol() ?? null;
  } catch {
    return null;
  }
}

describe.each(['TLSv1', 'TLSv1.1'] as const)('a client with %s', (version) => {
  test('T4: is served on port 25', async () => {
    expect(await handshake(25, version)).toBe(version);
  });

  test.each(GATES.filter((gate) => gate !== 25))('S5, A4: is refused on port %i', async (gate) => {
    expect(await handshake(gate, version)).toBeNull();
  });
});

test.each(GATES)('TLS 1.2 and 1.3 are served on port %i', async (gate) => {
  expect(await handshake(gate, 'TLSv1.2')).toBe('TLSv1.2');
  expect(await handshake(gate, 'TLSv1.3')).toBe('TLSv1.3');
});
