// What the MIME fields of one header say (RFC 2045, RFC 2183, RFC 3282, RFC 2557), with the defaults of
// RFC 2045 §5.2 and §6.1. In and out is binary text (octets.ts).

import type { HeaderField } from './header.ts';
import { trimSpace } from './octets.ts';
import { type Parameterized, parameter, parseParameters } from './parameters.ts';

export interface MimeFacts {
  /** Lower case. */
  readonly type: string;
  readonly subtype: string;
  readonly parameters: Parameterized['parameters'];
  /** Of a multipart; null where it has none that is usable. */
  readonly boundary: string | null;
  /** Content-Transfer-Encoding in lower case; `7bit` where none is said. */
  readonly encoding: string;
  readonly id: string | null;
  readonly description: string | null;
  readonly md5: string | null;
  readonly location: string | null;
  /** `value` in the case that it was written in. */
  readonly disposition: Parameterized | null;
  /** Language tags (RFC 3282); null: none. */
  readonly languages: readonly string[] | null;
}

/** What an entity without a Content-Type is (RFC 2045 §5.2). */
export const TEXT_PLAIN = { type: 'text', subtype: 'plain', parameters: [['charset', 'us-ascii']] } as const;

/** Octets; RFC 2046 §5.1.1 allows 70. */
const LONGEST_BOUNDARY = 256;
/** Language tags of one part. */
const MOST_LANGUAGES = 20;

// type "/" subtype (RFC 2045 §5.1). Wider: any printable character that is no separator.
const MEDIA_TYPE = /^([^\s\x80-\xff/;,"()]+) *\/ *([^\s\x80-\xff/;,"()]+)/;

/** `otherwise` is the type of a part that names none: in a multipart/digest that of a message (RFC 2046 §5.1.5). */
export function mimeFacts(fields: readonly HeaderField[], otherwise: 'text/plain' | 'message/rfc822'): MimeFacts {
  const found = contentFields(fields);
  const type = mediaType(found.get('content-type'), otherwise);
  const encoding = found.get('content-transfer-encoding') ?? '';
  const disposition = found.get('content-disposition');
  return {
    ...type,
    boundary: type.type === 'multipart' ? boundaryOf(type) : null,
    encoding: /^[!-'*-:<-~]+/.exec(encoding)?.[0].toLowerCase() ?? '7bit',
    id: found.get('content-id') ?? null,
    description: found.get('content-description') ?? null,
    md5: found.get('content-md5') ?? null,
    location: found.get('content-location') ?? null,
    disposition: disposition === undefined ? null : dispositionOf(disposition),
    languages: languagesOf(found.get('content-language') ?? ''),
  };
}

/** The first Content-… field of each name that says anything. */
function contentFields(fields: readonly HeaderField[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const field of fields) {
    const { name } = field;
    // Most fields are none of these: no lower case is made of them.
    if (name.length < 10 || (name.charCodeAt(0) | 32) !== 99) continue;
    const key = name.toLowerCase();
    if (!key.startsWith('content-') || found.has(key)) continue;
    const value = field.octets;
    if (value !== '') found.set(key, value);
  }
  return found;
}

type MediaType = Pick<MimeFacts, 'type' | 'subtype' | 'parameters'>;

function mediaType(value: string | undefined, otherwise: 'text/plain' | 'message/rfc822'): MediaType {
  if (value === undefined) {
    return otherwise === 'text/plain' ? TEXT_PLAIN : { type: 'message', subtype: 'rfc822', parameters: [] };
  }
  const field = parseParameters(value);
  const [, type, subtype] = MEDIA_TYPE.exec(field.value) ?? [];
  // RFC 2045 §5.2: a Content-Type that cannot be read is taken for text/plain.
  if (type === undefined || subtype === undefined) return { ...TEXT_PLAIN, parameters: field.parameters };
  return { type: type.toLowerCase(), subtype: subtype.toLowerCase(), parameters: field.parameters };
}

function boundaryOf({ parameters }: MediaType): string | null {
  const boundary = trimSpace(parameter({ value: '', parameters }, 'boundary') ?? '');
  return boundary === '' || boundary.length > LONGEST_BOUNDARY ? null : boundary;
}

/** An unknown disposition is an attachment (RFC 2183 §2.8); so is one that is missing. */
function dispositionOf(value: string): Parameterized {
  const field = parseParameters(value);
  return field.value === '' ? { ...field, value: 'attachment' } : field;
}

function languagesOf(value: string): readonly string[] | null {
  const tags = value.match(/[A-Za-z0-9*-]+/g)?.slice(0, MOST_LANGUAGES);
  return tags ?? null;
}
