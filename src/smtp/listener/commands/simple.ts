// The commands that move no mail: RSET, NOOP, QUIT, VRFY, EXPN, HELP (RFC 5321 §4.1.1.5 to §4.1.1.10).

import { Refusal, type Reply } from '../../../formats/refusal.ts';
import { whereToSubmit } from '../wrong-door.ts';
import { badArgument, type Command } from './command.ts';
import { keywords } from './hello.ts';

const OK: Reply = { code: 250, status: '2.0.0', text: 'OK' };

export const rset: Command = {
  verb: 'RSET',
  beforeTls: false,
  idle: true,
  async run(session, argument) {
    if (argument !== '') throw badArgument('Syntax: RSET');
    await session.abandon();
    return OK;
  },
};

export const noop: Command = { verb: 'NOOP', beforeTls: true, idle: true, run: () => OK };

export const quit: Command = {
  verb: 'QUIT',
  beforeTls: true,
  idle: true,
  run(session, argument) {
    if (argument !== '') throw badArgument('Syntax: QUIT');
    session.finish('QUIT', { code: 221, status: '2.0.0', text: `${session.options.hostname} closing connection` });
    return null;
  },
};

/** RFC 5321 §3.5.3, §7.3: the answer is the same for any name. */
export const vrfy: Command = {
  verb: 'VRFY',
  beforeTls: false,
  idle: true,
  run(_session, argument) {
    if (argument === '') throw badArgument('Syntax: VRFY address');
    return { code: 252, status: '2.5.0', text: 'Names are not verified; send the message to find out' };
  },
};

export const expn: Command = {
  verb: 'EXPN',
  beforeTls: false,
  idle: true,
  run() {
    throw new Refusal(502, '5.5.1', 'Lists are not expanded');
  },
};

export const help: Command = {
  verb: 'HELP',
  beforeTls: false,
  idle: true,
  run(session) {
    const { options } = session;
    const offered = keywords(session).map((keyword) => keyword.split(' ')[0]);
    const lines =
      options.role === 'transfer'
        ? ['This port takes mail from other servers, for our own domains.', whereToSubmit(options.submissionPorts)]
        : ['This port takes mail from our own users, after AUTH, for anywhere.'];
    // T2: what is not offered is not named here either.
    const extra = ['STARTTLS', 'AUTH'].filter((verb) => offered.includes(verb));
    lines.push(['EHLO HELO', ...extra, 'MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP'].join(' '));
    lines.push('See RFC 5321 and RFC 6409.');
    return { code: 214, status: '2.0.0', text: lines.join('\n') };
  },
};
