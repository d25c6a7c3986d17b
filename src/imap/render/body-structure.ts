// BODY and BODYSTRUCTURE (RFC 3501 §7.4.2, §9) from the MIME structure of a message, as binary text.

import type { MimeFacts } from '../../formats/mime-facts.ts';
import { extendedText, type Parameterized } from '../../formats/parameters.ts';
import type { Entity } from '../../formats/structure.ts';
import { type Allowance, renderEnvelope } from './envelope.ts';
import { imapString, nstring } from './strings.ts';

/** Addresses in the envelopes of all enclosed messages. Each may be two octets, and is shown as a hundred: without a bound
 * a message of 1 MB had a structure of 40. */
const MOST_ADDRESSES = 5_000;

/** Does its structure have another form in IMAP4rev2, in which message/global is a message, and the charsets of parameters
 * are undone (RFC 9051 §7.5.2)? */
export function differsInRev2({ mime, parts, message }: Entity): boolean {
  if ([...mime.parameters, ...(mime.disposition?.parameters ?? [])].some(([name]) => name.endsWith('*'))) return true;
  if (parts !== null) return parts.some(differsInRev2);
  return message !== null && (mime.subtype === 'global' || differsInRev2(message));
}

/** Which form: with `extended` it has the extension data: BODYSTRUCTURE. */
interface Form {
  readonly extended: boolean;
  readonly rev2: boolean;
}

/** body = "(" (body-type-1part / body-type-mpart) ")" */
export function renderBodyStructure(
  entity: Entity,
  form: Form,
  allowance: Allowance = { addresses: MOST_ADDRESSES },
): string {
  const { extended } = form;
  const { mime, parts } = entity;
  if (parts !== null) {
    // body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
    const bodies = parts.map((part) => renderBodyStructure(part, form, allowance)).join('');
    const extension = extended ? ` ${parameterList(mime.parameters, form)}${commonExtension(mime, form)}` : '';
    return `(${bodies} ${imapString(mime.subtype)}${extension})`;
  }
  // body-ext-1part = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]
  const extension = extended ? ` ${nstring(mime.md5)}${commonExtension(mime, form)}` : '';
  return `(${basicFields(entity, form)}${kindFields(entity, form, allowance)}${extension})`;
}

/** media-basic or its kin, SP, body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP
 *   body-fld-octets */
function basicFields({ mime, bodyStart, end }: Entity, form: Form): string {
  const media = `${imapString(mime.type)} ${imapString(mime.subtype)}`;
  const identity = `${nstring(mime.id)} ${nstring(mime.description)}`;
  return `${media} ${parameterList(mime.parameters, form)} ${identity} ${imapString(mime.encoding)} ${end - bodyStart}`;
}

/** What a text and a message have besides: body-type-text, body-type-msg. */
function kindFields({ mime, message, lines }: Entity, form: Form, allowance: Allowance): string {
  // RFC 3501 §9: there only a message/rfc822 is a message.
  if (message === null || (mime.subtype === 'global' && !form.rev2)) return mime.type === 'text' ? ` ${lines}` : '';
  const envelope = renderEnvelope(message.fields, allowance);
  return ` ${envelope} ${renderBodyStructure(message, form, allowance)} ${lines}`;
}

/** SP body-fld-dsp SP body-fld-lang SP body-fld-loc */
function commonExtension({ disposition, languages, location }: MimeFacts, form: Form): string {
  const shown =
    disposition === null ? 'NIL' : `(${imapString(disposition.value)} ${parameterList(disposition.parameters, form)})`;
  return ` ${shown} ${languageList(languages)} ${nstring(location)}`;
}

/** body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
function parameterList(parameters: Parameterized['parameters'], { rev2 }: Form): string {
  if (parameters.length === 0) return 'NIL';
  const shown = (name: string, value: string) => (rev2 && name.endsWith('*') ? extendedText(value) : value);
  return `(${parameters.map(([name, value]) => `${imapString(name)} ${imapString(shown(name, value))}`).join(' ')})`;
}

/** body-fld-lang = nstring / "(" string *(SP string) ")" */
function languageList(languages: readonly string[] | null): string {
  return languages === null ? 'NIL' : `(${languages.map(imapString).join(' ')})`;
}
