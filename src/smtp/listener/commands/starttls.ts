// STARTTLS (RFC 3207). What was said before it is forgotten, by both sides.

import { Refusal } from '../../../formats/refusal.ts';
import { badArgument, badSequence, type Command } from './command.ts';

export const starttls: Command = {
  verb: 'STARTTLS',
  beforeTls: true,
  idle: true,
  async run(session, argument) {
    const { options, facts, log, hop } = session;
    if (options.tls === 'implicit') {
      log.warn({ session: facts.id, hop, door: 'STARTTLS on implicit TLS' }, 'wrong door');
      session.finish('wrong door', {
        code: 503,
        status: '5.5.1',
        text: `This is port ${facts.localPort}, which starts with TLS: there is no STARTTLS here`,
      });
      return null;
    }
    if (facts.tls !== null) throw badSequence('TLS is already active');
    if (options.tls === 'none') throw new Refusal(502, '5.5.1', 'STARTTLS is not offered');
    if (argument !== '') throw badArgument('Syntax: STARTTLS');
    try {
      options.keeper.context(options.floor);
    } catch (error) {
      log.error({ session: facts.id, hop, err: error }, 'no TLS context');
      throw new Refusal(454, '4.7.0', 'TLS not available due to temporary reason');
    }
    // Before the 220: behind it nothing may keep the handshake waiting.
    await session.abandon();
    session.say({ code: 220, status: '2.0.0', text: 'Ready to start TLS' });
    await session.startTls();
    return null;
  },
};
