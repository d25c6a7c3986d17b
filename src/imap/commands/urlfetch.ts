// URLFETCH (RFC 4467 §7, RFC 5524): what URLs name, to whoever has them: as it is, without its transfer encoding, or what
// BODYSTRUCTURE says of it.

import { DataDomain } from '../../formats/data-domain.ts';
import { bad, ok } from '../completion.ts';
import type { Section } from '../grammar/fetch-items.ts';
import type { MessageUrl } from '../grammar/imap-url.ts';
import type { Scanner } from '../grammar/scanner.ts';
import { messageOf, type NamedMessage, type NamedOctets, namedOctets, partialOf } from '../message-url.ts';
import { decodedStructure, partStructure } from '../render/part-structure.ts';
import { imapString } from '../render/strings.ts';
import { countPart, type DecodedPart, decodedPieces, encodedPart } from './binary.ts';
import { command, LOGGED_IN, type Session } from './command.ts';
import { writeBinary, writePieces } from './fetch-response.ts';
import { authorized, urls } from './urlauth.ts';

type Parameter = 'BODY' | 'BINARY' | 'BODYPARTSTRUCTURE';

/** A URL and what is wanted of it; nothing: its octets, as RFC 4467 has them. */
interface Wanted {
  readonly text: string;
  readonly parameters: ReadonlySet<Parameter>;
}

const NONE: ReadonlySet<Parameter> = new Set();

/** url-fetch-arg = url-full / "(" url-full *(SP url-fetch-param) ")"
 * url-fetch-param = "BODY" / "BINARY" / "BODYPARTSTRUCTURE" / atom */
function urlFetchArgument(scanner: Scanner): Wanted {
  if (!scanner.accept('(')) return { text: scanner.astring().toString('latin1'), parameters: NONE };
  const text = scanner.astring().toString('latin1');
  const parameters = new Set<Parameter>();
  while (scanner.accept(' ')) {
    const name = scanner.atom('a parameter').toUpperCase();
    if (name !== 'BODY' && name !== 'BINARY' && name !== 'BODYPARTSTRUCTURE') throw bad('That parameter is not known');
    // RFC 5524 §3.1
    if (parameters.has(name)) throw bad('A parameter may be there once for each URL');
    parameters.add(name);
  }
  scanner.expect(')');
  if (parameters.has('BODY') && parameters.has('BINARY')) throw bad('BODY and BINARY cannot both be had of one URL');
  return { text, parameters };
}

/** urlfetch = "URLFETCH" 1*(SP url-fetch-arg). A URL that is not valid is answered NIL, whatever is wrong with it. */
export const urlFetch = command({
  name: 'URLFETCH',
  states: LOGGED_IN,
  grammar: (scanner) => urls(scanner, () => urlFetchArgument(scanner)),
  async run(session, asked) {
    for (const wanted of asked) {
      const found = await find(session, wanted);
      session.writer.text(`* URLFETCH ${imapString(wanted.text)} `);
      if (found) await answer(session, found, wanted);
      else session.writer.text('NIL');
      session.writer.text('\r\n');
      if (session.writer.full) await session.writer.ready();
    }
    return ok('Fetched');
  },
});

/** All that an answer needs to know before it begins. */
interface Found {
  readonly message: NamedMessage;
  readonly octets: NamedOctets;
  readonly structure: string | null;
  readonly decoded: DecodedPart;
}

/** null: the URL gives no right to anything, or names nothing. */
async function find(session: Session, { text, parameters }: Wanted): Promise<Found | null> {
  const right = await authorized(session, text);
  if (!right) return null;
  const { owner, url } = right;
  const binary = parameters.has('BINARY');
  const structured = parameters.has('BODYPARTSTRUCTURE');
  const message = await messageOf(owner, url, null, binary || structured);
  const octets = message && (await namedOctets(session, message, url));
  if (!octets) return null;
  const structure = structured ? await structureOf(session, message, url.section, binary) : null;
  const decoded = binary ? await decodedOf(session, message, url, octets) : null;
  return { message, octets, structure, decoded };
}

/** The octets, or url-metadata = "(" url-metadata-el ")" *(SP "(" url-metadata-el ")") */
async function answer(session: Session, found: Found, { parameters }: Wanted): Promise<void> {
  const { writer } = session;
  if (parameters.size === 0) return writeOctets(session, found.octets);
  const alone = parameters.size === 1;
  if (found.structure !== null) writer.text(`(BODYPARTSTRUCTURE ${found.structure})${alone ? '' : ' '}`);
  if (parameters.has('BODY')) {
    writer.text('(BODY ');
    await writeOctets(session, found.octets);
    writer.text(')');
  }
  if (parameters.has('BINARY')) {
    writer.text('(BINARY ');
    await writeBinary(session, found.message.row, found.decoded);
    writer.text(')');
  }
}

async function writeOctets(session: Session, { size, pieces }: NamedOctets): Promise<void> {
  session.writer.text(`{${size}}\r\n`);
  await writePieces(session, pieces(), size);
}

/** What BINARY gives: the same as BODY of what has no encoding. */
async function decodedOf(
  session: Session,
  message: NamedMessage,
  url: MessageUrl,
  named: NamedOctets,
): Promise<DecodedPart> {
  const { row } = message;
  const { text } = url.section;
  if (text !== 'HEADER.FIELDS' && text !== 'HEADER.FIELDS.NOT') {
    return countPart(session, row, await encodedPart(session, message, url.section, partialOf(url)));
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of named.pieces()) pieces.push(piece);
  const kept = Buffer.concat(pieces);
  return { from: 0, to: 0, encoding: '7bit', partial: null, octets: kept.length, nul: kept.includes(0), kept };
}

/** What BODYSTRUCTURE says of the part in which the section lies, all of it, also where the URL wants less. Where the octets
 * go without their encoding, it is of these (RFC 5524 §3.2). */
async function structureOf(
  session: Session,
  message: NamedMessage,
  section: Section,
  binary: boolean,
): Promise<string> {
  const { row, summary } = message;
  if (!summary) throw new Error('a structure needs a summary that was not read');
  const { part, text } = section;
  const enclosed = text === 'TEXT';
  // In IMAP4rev1 a message/global is no message, and yet parts of it can be named.
  const known = session.enabled.rev2 ? null : partStructure(summary.bodyStructure(false), part, enclosed);
  const structure = known ?? partStructure(summary.bodyStructure(true), part, enclosed);
  if (structure === null) throw new Error('a part that is there has no structure');
  const encoded = binary ? await encodedPart(session, message, section, null) : null;
  if (encoded === null || encoded === 'unknown encoding') return structure;
  if (encoded.encoding !== 'base64' && encoded.encoding !== 'quoted-printable') return structure;
  const data = new DataDomain();
  let octets = 0;
  for await (const piece of decodedPieces(session, row, encoded)) {
    octets += piece.length;
    data.add(piece);
  }
  return decodedStructure(structure, data.domain, octets);
}
