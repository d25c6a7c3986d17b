// NOTIFY (RFC 5465): which events the client wants to be told of, in which mailboxes, at all times.

import { ok } from '../completion.ts';
import { notifyRequest } from '../grammar/notify-request.ts';
import { command, LOGGED_IN } from './command.ts';

/** notify = "NOTIFY" SP (notify-set / notify-none) */
export const notify = command({
  name: 'NOTIFY',
  states: LOGGED_IN,
  grammar: notifyRequest,
  async run(session, request) {
    for (const line of await session.announcements.notify(request)) session.writer.line(line);
    return ok(request.selected || request.groups.length > 0 ? 'You will be told' : 'Nothing will be told');
  },
});
