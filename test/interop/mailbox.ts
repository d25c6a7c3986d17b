// What is in a mailbox of the program under test, read over 993 by the tests' own client: the judge of every case.

import { join } from 'node:path';
import { ImapClient } from '../clients/imap.ts';
import { PASSWORD, type Program, userAddress } from '../process/program.ts';

/** A client that has logged in as a user. */
export function reader(server: Program, user: number): Promise<ImapClient> {
  return ImapClient.open({ port: server.port(993), tls: 'implicit' }, { user: userAddress(user), password: PASSWORD });
}

/** The octets of a message from a user whose body is its subject. */
export function letter(user: number, subject: string): string {
  return `From: <${userAddress(user)}>\r\nSubject: ${subject}\r\n\r\n${subject}\r\n`;
}

/** Puts a message into a mailbox of a user. @param how flags and date in front of it, with a space behind them */
export async function appended(
  server: Program,
  user: number,
  mailbox: string,
  octets: string,
  how = '',
): Promise<void> {
  using client = await reader(server, user);
  const literal = Buffer.from(octets);
  await client.done(`APPEND ${mailbox} ${how}{${literal.length}}`, [literal]);
}

/** Messages with a subject, as they are now. */
export async function messages(server: Program, user: number, subject: string, mailbox = 'INBOX'): Promise<string[]> {
  using client = await reader(server, user);
  await client.done(`EXAMINE ${mailbox}`);
  return await found(client, subject);
}

/** The one message with a subject. @throws Error unless there is exactly one */
export async function message(server: Program, user: number, subject: string, mailbox = 'INBOX'): Promise<string> {
  return only(await messages(server, user, subject, mailbox), subject);
}

/** Every message of a mailbox. */
export async function everything(server: Program, user: number, mailbox = 'INBOX'): Promise<string[]> {
  using client = await reader(server, user);
  return (await client.messages(mailbox)).map((octets) => octets.toString('utf8'));
}

/**
 * As `message`, but waits until it has come. One connection hears and another looks: a SEARCH may tell of a message
 * that it did not find yet (RFC 3501 §7.3.1), and whoever goes to hear of it after that waits for ever.
 */
export async function arrival(server: Program, user: number, subject: string): Promise<string> {
  using ear = await reader(server, user);
  await ear.done('EXAMINE INBOX');
  await ear.idle();
  using eye = await reader(server, user);
  await eye.done('EXAMINE INBOX');
  for (;;) {
    await eye.done('NOOP');
    const now = await found(eye, subject);
    if (now.length > 0) return only(now, subject);
    while (!/EXISTS/.test((await ear.response()).text));
  }
}

/** Flags of all messages of a mailbox, by UID order. */
export async function flags(server: Program, user: number, mailbox = 'INBOX'): Promise<string[][]> {
  using client = await reader(server, user);
  await client.done(`EXAMINE ${mailbox}`);
  const fetched = await client.command('UID FETCH 1:* (FLAGS)');
  return fetched.untagged
    .map(({ text }) => /FLAGS \(([^)]*)\)/.exec(text)?.[1])
    .filter((list) => list !== undefined)
    .map((list) =>
      list
        .split(' ')
        .filter((flag) => flag !== '' && flag !== '\\Recent')
        .sort(),
    );
}

/** What follows the empty line. */
export function bodyOf(octets: string): string {
  return octets.slice(octets.indexOf('\r\n\r\n') + 4);
}

/** The trace fields, newest first, each in one line. */
export function receivedOf(octets: string): string[] {
  const header = octets.slice(0, octets.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  return [...header.matchAll(/^Received: .*$/gm)].map(([line]) => line);
}

/** The certificate of the authority that the program made, for programs that verify. */
export function authorityOf(server: Program): string {
  return join(server.folder, 'certs/ca.pem');
}

async function found(client: ImapClient, subject: string): Promise<string[]> {
  const searched = await client.done(`UID SEARCH SUBJECT "${subject}"`);
  const uids = searched.flatMap(({ text }) => /^\* SEARCH((?: \d+)+)$/.exec(text)?.[1]?.trim().split(' ') ?? []);
  if (uids.length === 0) return [];
  const fetched = await client.done(`UID FETCH ${uids.join(',')} (BODY.PEEK[])`);
  const all = fetched.flatMap(({ literals }) => literals.map((octets) => octets.toString('utf8')));
  // SEARCH finds parts of a subject, too (RFC 3501 §6.4.4).
  return all.filter((octets) => new RegExp(`^Subject: ${RegExp.escape(subject)}\\r$`, 'm').test(octets));
}

function only(all: readonly string[], subject: string): string {
  const [first] = all;
  if (first === undefined || all.length !== 1) throw new Error(`${all.length} messages with the subject "${subject}"`);
  return first;
}
