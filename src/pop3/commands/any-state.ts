// CAPA (RFC 2449 §5) and QUIT (RFC 1939 §4, §6).

import { StoreError } from '../../store/store.ts';
import { capabilityLines } from '../capabilities.ts';
import { ok, refusal } from '../reply.ts';
import { ANY_STATE, command, nothing } from './command.ts';

/** "CAPA" */
export const capa = command({
  name: 'CAPA',
  states: ANY_STATE,
  grammar: nothing,
  run: (session) => ok('Capabilities follow', [capabilityLines(session.standing)]),
});

/** "QUIT": deletes what is marked, if somebody has logged in; says how that went; and ends the session in any case. */
export const quit = command({
  name: 'QUIT',
  states: ANY_STATE,
  grammar: nothing,
  async run(session) {
    session.afterwards('quit');
    const goodbye = `${session.hostname} says goodbye`;
    if (session.state === 'authorization') return ok(goodbye);
    try {
      session.passed.deleted = await session.maildrop.update();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw refusal('Nothing was deleted', 'SYS/TEMP', error.message);
    } finally {
      // Before the answer: whoever has it may log in again at once.
      await session.leave();
    }
    return ok(goodbye);
  },
});
