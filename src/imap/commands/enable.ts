// ENABLE (RFC 5161), and what else enables CONDSTORE: a command that shows that the client knows MODSEQ (RFC 7162 §3.1).

import { ok } from '../completion.ts';
import { command, LOGGED_IN, type Session } from './command.ts';

/** What can be enabled, by its name in CAPABILITY. */
const EXTENSIONS: ReadonlyMap<string, (session: Session) => void> = new Map([
  ['CONDSTORE', enableCondstore],
  ['METADATA', (session) => session.announcements.tellAnnotations()],
  ['METADATA-SERVER', (session) => session.announcements.tellAnnotations()],
  [
    'QRESYNC',
    (session) => {
      // RFC 7162 §3.2.3: it is a CONDSTORE enabling command, too.
      enableCondstore(session);
      session.enabled.qresync = true;
    },
  ],
  [
    'UTF8=ACCEPT',
    (session) => {
      session.enabled.utf8 = true;
    },
  ],
  [
    'IMAP4REV2',
    (session) => {
      const { enabled } = session;
      enabled.rev2 = true;
      // RFC 9051 §5.1: the one that IMAP4rev2 has in itself.
      enabled.utf8 = true;
      if (session.state === 'selected') session.mailbox.view.forgetRecent();
    },
  ],
  [
    'UIDONLY',
    (session) => {
      session.enabled.uidOnly = true;
      if (session.state === 'selected') session.mailbox.contexts.dropNumbered();
    },
  ],
]);

/** From now on the client is told MODSEQ; where it begins to be, of all that it knows (RFC 7162 §3.1.2.1). */
export function enableCondstore(session: Session): void {
  const { enabled } = session;
  if (enabled.condstore) return;
  enabled.condstore = true;
  if (session.state === 'selected') session.mailbox.describeModSeq();
}

/** enable = "ENABLE" 1*(SP capability). What is not known, or needs not be enabled, is passed over (RFC 5161 §3.1). */
export const enable = command({
  name: 'ENABLE',
  states: LOGGED_IN,
  grammar(scanner) {
    const names: string[] = [];
    while (scanner.accept(' ')) names.push(scanner.atom('a capability').toUpperCase());
    if (names.length === 0) throw scanner.problem('a capability');
    return names;
  },
  run(session, names) {
    const enabled = [...new Set(names)].filter((name) => EXTENSIONS.has(name));
    for (const name of enabled) EXTENSIONS.get(name)?.(session);
    const spelt = enabled.map((name) => (name === 'IMAP4REV2' ? 'IMAP4rev2' : name));
    session.writer.line(['* ENABLED', ...spelt].join(' '));
    return ok(enabled.length > 0 ? 'Enabled' : 'Nothing more was enabled');
  },
});
