// The command lines that sendmail(1) has been called with, and what they mean here.

import { expect, test } from 'vitest';
import { parseSendmail, SendmailUsage } from '../../src/cli/sendmail-arguments.ts';
import { sendmailCall } from '../../src/cli/sendmail-call.ts';

const PLAIN = {
  mode: 'deliver',
  fromHeader: false,
  dotIsText: false,
  sender: null,
  fullName: null,
  config: null,
  notify: null,
  ret: null,
  envid: null,
  recipients: [],
};

test.each([
  ['PHP: mail()', '-t -i', { fromHeader: true, dotIsText: true }],
  ['PHP with -f', '-t -i -fwww@example.test', { fromHeader: true, dotIsText: true, sender: 'www@example.test' }],
  [
    'Debian cron',
    '-i -FCronDaemon -B8BITMIME -oem root',
    { dotIsText: true, fullName: 'CronDaemon', recipients: ['root'] },
  ],
  [
    'cronie',
    '-FCronDaemon -i -odi -oem -oi -t -f root',
    { fullName: 'CronDaemon', fromHeader: true, dotIsText: true, sender: 'root' },
  ],
  ['bsd-mailx', '-i -t', { dotIsText: true, fromHeader: true }],
  [
    'mailx with -f',
    '-i -r me@a.test -- you@b.test',
    { dotIsText: true, sender: 'me@a.test', recipients: ['you@b.test'] },
  ],
  [
    'git send-email',
    '-f me@a.test -i you@b.test her@c.test',
    { sender: 'me@a.test', dotIsText: true, recipients: ['you@b.test', 'her@c.test'] },
  ],
  ['mutt', '-oem -oi -f me@a.test -- you@b.test', { dotIsText: true, sender: 'me@a.test', recipients: ['you@b.test'] }],
  [
    'mutt with DSN',
    '-oi -N failure,delay -R hdrs -- a@b.test',
    { dotIsText: true, notify: ['failure', 'delay'], ret: 'HDRS', recipients: ['a@b.test'] },
  ],
  ['smartd, logwatch', '-t', { fromHeader: true }],
  ['flags in one word', '-tif me', { fromHeader: true, dotIsText: true, sender: 'me' }],
  ['a flag behind an address', 'a@b.test -i', { recipients: ['a@b.test'], dotIsText: true }],
  ['an address like a flag', '-- -t', { recipients: ['-t'] }],
  [
    'options with values',
    '-oi -O DeliveryMode=b -odq -om -o7 -h 5 -L tag -X log -G -U -v -n -m a',
    { dotIsText: true, recipients: ['a'] },
  ],
  ['-oX for another X', '-oiX a', { recipients: ['a'] }],
  ['ENVID', '-V id a', { envid: 'id', recipients: ['a'] }],
  ['NOTIFY=NEVER', '-N never a', { notify: 'never', recipients: ['a'] }],
  ['mailq', '-bp', { mode: 'list' }],
  ['newaliases', '-bi', { mode: 'nothing' }],
  ['a flush', '-q15m', { mode: 'flush' }],
  ['a configuration', '-C /x/y.toml -bm', { config: '/x/y.toml' }],
] as const)('%s: %s', (_, line, expected) => {
  expect(parseSendmail(line.split(' '))).toEqual({ ...PLAIN, ...expected });
});

test.each(['-bs', '-bd', '-bv', '-bt', '-f', '-F', '-Z', '-N maybe', '-b'])('%s is refused', (line) => {
  expect(() => parseSendmail(line.split(' '))).toThrow(SendmailUsage);
});

test('an empty sender, and a name with spaces', () => {
  expect(parseSendmail(['-f', '', '-F', 'Cron Daemon', 'a'])).toMatchObject({ sender: '', fullName: 'Cron Daemon' });
});

test('who is called: the verb, or a link of that name', () => {
  const call = (...argv: string[]) => sendmailCall(['node', ...argv], {});
  expect(call('launch.js', 'sendmail', '-t', '--', 'serve')).toMatchObject({ args: ['-t', '--', 'serve'], cwd: null });
  expect(call('launch.js', '-c', 'x.toml', 'sendmail', '-i')).toMatchObject({ args: ['-i'], config: 'x.toml' });
  expect(call('launch.js', '--config=x.toml', 'sendmail')).toMatchObject({ args: [], config: 'x.toml' });
  expect(call('/usr/sbin/sendmail', '-t')).toMatchObject({ args: ['-t'], cwd: expect.any(String) });
  expect(call('launch.js', 'serve')).toBeNull();
  expect(call('launch.js', 'send', '--to', 'sendmail')).toBeNull();
  expect(call('launch.js', 'sendmail', '--help')).toBeNull();
});
