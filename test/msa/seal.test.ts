// What the MSA does with signatures: in front of every copy and of what is queued, for the domain that the user may
// answer for; and nothing taken without one.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMsa } from '../../src/msa/submit.ts';
import { DkimKeyError } from '../../src/trust/dkim/keys.ts';
import { createDkimSigner } from '../../src/trust/dkim/signer.ts';
import { agentWorld, lines, put, smtpSession, transact } from '../mta/smtp-session.ts';
import { good, SELECTORS, verify } from '../trust/verifier.ts';

const DOMAINS = ['example.test', 'second.test'];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-seal-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function msa(keys = folder) {
  const world = await agentWorld(undefined, DOMAINS);
  await put(world.store, 'alice@example.test', ['wonder@example.test', 'alice@second.test']);
  const [alice] = await world.store.read.accounts();
  if (alice === undefined) throw new Error('alice is not there');
  const identity = { accountId: alice.id, address: alice.address, mechanism: 'PLAIN' };
  const session = smtpSession({ identity, localPort: 587 });
  const dkim = createDkimSigner({ folder: keys, domains: DOMAINS, clock: world.clock, ...SELECTORS });
  const receiver = createMsa({ ...world.options, dkim });
  const submit = (content: string, to = ['bob@example.test', 'eve@remote.test'], from = 'alice@example.test') =>
    transact(receiver, { from, to, content, session });
  return { ...world, submit };
}

const CONTENT = lines('From: alice@example.test', 'Bcc: x@y.test', 'Subject: x', '', 'Hello.', '', '');

it('every local copy and what is queued has both signatures over what was completed', async () => {
  const { submit, store } = await msa();
  expect((await submit(CONTENT)).reply).toBe('250');
  const [accept] = store.accepted;
  const body = store.body(accept);
  expect(body).toMatch(/^Received: /);
  expect(body).toMatch(/^Message-ID: /m);
  const [delivery] = accept?.deliveries ?? [];
  const prefix = Buffer.from(delivery?.prefix ?? []).toString('latin1');
  expect(prefix).toMatch(/^Return-Path: <.*>\r\nDelivered-To: .*\r\nDKIM-Signature: /);
  const queued = Buffer.from(accept?.dispatch?.prefix ?? []).toString('latin1');
  expect(queued).toMatch(/^DKIM-Signature: /);
  for (const front of [prefix, queued]) {
    expect(await verify(Buffer.from(front + body, 'latin1'), folder, DOMAINS)).toEqual(good('example.test'));
  }
});

it.each([
  ['no header at all', 'just a line\r\nand one more\r\n'],
  ['a header without its empty line', lines('From: alice@example.test', 'Subject: x', 'hello', 'From: x')],
  ['only a header', lines('From: alice@example.test')],
  ['nothing', ''],
  ['a body of many pieces', `From: alice@example.test\r\n\r\n${'0123456789  abcd\r\n'.repeat(9_000)}`],
])('%s', async (_, content) => {
  const { submit, store } = await msa();
  expect((await submit(content)).reply).toBe('250');
  const [accept] = store.accepted;
  const message = Buffer.concat([
    accept?.dispatch?.prefix ?? new Uint8Array(0),
    Buffer.from(store.body(accept), 'latin1'),
  ]);
  expect(await verify(message, folder, DOMAINS)).toEqual(good('example.test'));
});

it('a signature that is there stays, behind ours', async () => {
  const { submit, store } = await msa();
  const theirs = 'DKIM-Signature: v=1; a=rsa-sha256; d=remote.test; s=x; h=from; bh=AA==; b=AA==';
  expect((await submit(lines(theirs, 'From: alice@example.test', '', 'x'))).reply).toBe('250');
  const [accept] = store.accepted;
  const front = Buffer.from(accept?.dispatch?.prefix ?? []).toString('latin1');
  expect(front).toMatch(/^DKIM-Signature: /);
  const message = front + store.body(accept);
  const domains = [...message.matchAll(/^DKIM-Signature:[\s\S]*?\bd=([^;]+);/gm)].map(([, domain]) => domain);
  expect(domains).toEqual(['example.test', 'example.test', 'remote.test']);
});

describe('the domain is that', () => {
  it.each([
    ['of From', ['From: <alice@second.test>'], 'alice@example.test', 'second.test'],
    ['of the first From of ours', ['From: Alice@Second.Test, alice@example.test'], 'alice@example.test', 'second.test'],
    ['of Sender where From is a neighbour', ['From: bob@example.test', 'Sender: alice@second.test'], '', 'second.test'],
    ['of Sender where From is a stranger', ['From: x@remote.test', 'Sender: alice@second.test'], '', 'second.test'],
    ['of the envelope where there is no From', ['Subject: x'], 'alice@second.test', 'second.test'],
    ['of the account where nobody is named', ['Subject: x'], '', 'example.test'],
  ])('%s', async (_, header, from, domain) => {
    const { submit, store } = await msa();
    expect((await submit(lines(...header, '', 'x'), ['eve@remote.test'], from)).reply).toBe('250');
    const prefix = Buffer.from(store.accepted[0]?.dispatch?.prefix ?? []).toString('latin1');
    expect([...prefix.matchAll(/\bd=([^;]*);/g)].map(([, name]) => name)).toEqual([domain, domain]);
  });
});

it('without a key that can be used nothing is taken, and nothing kept', async () => {
  const broken = join(folder, 'broken');
  await mkdir(join(broken, 'example.test'), { recursive: true });
  await writeFile(join(broken, 'example.test', 'postern-ed.pem'), 'not a key');
  const { submit, store } = await msa(broken);
  await expect(submit(CONTENT)).rejects.toBeInstanceOf(DkimKeyError);
  expect(store.accepted).toEqual([]);
  expect(store.staged).toBe(0);
  // Once it is put right, no restart is needed.
  await rm(join(broken, 'example.test', 'postern-ed.pem'));
  expect((await submit(CONTENT)).reply).toBe('250');
});
