// The log: what it writes of fields and errors, what it never writes, and what people see of it.

import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createLog } from '../../src/platform/log.ts';

function recorded(level = 'debug', pretty = false) {
  let text = '';
  const destination = new Writable({
    decodeStrings: false,
    write(line: string, _, done) {
      text += line;
      done();
    },
  });
  return {
    log: createLog({ level, destination, pretty }),
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
  };
}

it('writes one object a line: time, level by name, ids, text', () => {
  const { log, lines } = recorded('info');
  log.child({ session: 'abc', hop: 'MUA→MSA' }).info({ message: 'm1' }, 'taken');
  log.debug('not this');
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      session: 'abc',
      hop: 'MUA→MSA',
      message: 'm1',
      msg: 'taken',
    },
  ]);
});

it.each([
  'password',
  'Password',
  'smtpPassword',
  'password_hash',
  'passwd',
  'passphrase',
  'pass',
  'secret',
  'clientSecret',
  'credentials',
  'token',
  'apiKey',
  'authorization',
  'private_key',
])('a field named %s is never written, wherever it stands', (name) => {
  const { log, text } = recorded();
  log.info({ [name]: 'wonderland' }, 'a');
  log.info({ config: { accounts: [{ [name]: 'wonderland' }] } }, 'b');
  log.child({ [name]: 'wonderland' }).info({ deep: { er: { [name]: ['wonderland'] } } }, 'c');
  log.info(Object.assign(new Error('failed'), { [name]: 'wonderland', options: { [name]: 'wonderland' } }), 'd');
  log.error({ err: Object.assign(new Error('failed'), { [name]: 'wonderland' }) }, 'e');
  log.error({ nested: { cause: Object.assign(new Error('failed'), { [name]: 'wonderland' }) } }, 'f');
  expect(text()).not.toContain('wonderland');
  expect(text().split('\n').filter(Boolean)).toHaveLength(6);
});

it('leaves what it was given as it was, and fields with other names alone', () => {
  const { log, lines } = recorded();
  const fields = { session: 's', passed: 3, inner: { password: 'x', count: 1 }, none: null, password: null };
  log.info(fields, 'a');
  expect(fields.inner.password).toBe('x');
  expect(lines()[0]).toMatchObject({ passed: 3, inner: { count: 1 }, none: null, password: null });
  expect(lines()[0].inner.password).not.toBe('x');
});

it('of an error writes type, text, code, kind, stack and cause, and nothing that hangs on it', () => {
  const { log, lines } = recorded();
  const cause = new Error('below');
  const err = Object.assign(new TypeError('above', { cause }), {
    code: 'EX',
    kind: 'full',
    response: { user: 'alice' },
  });
  log.error({ err }, 'failed');
  expect(lines()[0].err).toEqual({
    type: 'TypeError',
    message: 'above',
    code: 'EX',
    kind: 'full',
    stack: expect.stringContaining('above'),
    cause: 'Error: below',
  });
});

it('does not lose itself in what is deep, round or large', () => {
  const { log, text } = recorded();
  const round: Record<string, unknown> = { name: 'round' };
  round.self = round;
  log.info({ round, octets: Buffer.alloc(100_000, 120), list: [[[[[['deep']]]]]] }, 'a');
  expect(text().length).toBeLessThan(2_000);
  expect(text()).not.toContain('deep');
  expect(text()).not.toContain('xxxx');
});

it("a peer's text stays one line, and does nothing to a terminal", () => {
  const hostile = 'refused\u001b]0;title\u0007\r\n{"level":"fatal"}\u009b2J';
  const plain = recorded();
  plain.log.error({ err: new Error(hostile), reply: hostile }, 'failed');
  expect(plain.text().trimEnd().split('\n')).toHaveLength(1);
  expect(plain.text()).not.toContain('\u001b');
  const pretty = recorded('info', true);
  pretty.log.error({ err: new Error(hostile), reply: hostile }, 'failed');
  pretty.log.warn(`${hostile} C:\\u001b`);
  for (const sign of ['\u0007', '\u009b', '\u001b]0', '\r']) expect(pretty.text(), sign).not.toContain(sign);
  expect(pretty.text()).toContain('C:\\u001b');
});

it('people read text, not JSON', () => {
  const { log, text } = recorded('info', true);
  log.info({ session: 'abc', password: 'wonderland' }, 'taken');
  expect(() => JSON.parse(text())).toThrow();
  expect(text()).toMatch(/INFO.*taken.*abc/s);
  expect(text()).not.toContain('wonderland');
});
