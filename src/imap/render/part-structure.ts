// The BODYPARTSTRUCTURE of one part (RFC 5524 §3.2): what BODYSTRUCTURE says of it, cut out of that of its message. All
// is binary text that body-structure.ts has rendered.

/** Group 1: the octets of a literal, which come behind it. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|\{(\d+)\}\r\n|[() ]|[^ ()"{]+/sy;

/** The elements of a list, lists among them whole. */
function elementsOf(list: string): string[] {
  const elements: string[] = [];
  for (let at = 1; at < list.length - 1; ) {
    const end = list[at] === ' ' ? at + 1 : endOf(list, at);
    if (list[at] !== ' ') elements.push(list.slice(at, end));
    at = end;
  }
  return elements;
}

/** Where the element ends that begins at `from`. */
function endOf(list: string, from: number): number {
  let depth = 0;
  for (let at = from; at < list.length; ) {
    TOKEN.lastIndex = at;
    const [token = '', literal] = TOKEN.exec(list) ?? [];
    if (token === '') break;
    at += token.length + Number(literal ?? 0);
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error('no structure as it is rendered here');
}

/** The parts of a multipart; null: it is none. body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart] */
function partsOf(structure: string): string[] | null {
  const elements = elementsOf(structure);
  const count = elements.findIndex((element) => !element.startsWith('('));
  return count > 0 ? elements.slice(0, count) : null;
}

/** What a message holds; null: it is none. body-type-msg = media-message SP body-fields SP envelope SP body SP
 * body-fld-lines */
function enclosedBy(structure: string): string | null {
  const [, , , , , , , envelope, body] = elementsOf(structure);
  return envelope?.startsWith('(') && body?.startsWith('(') ? body : null;
}

/**
 * What a BODYSTRUCTURE says of a part, by its numbers from the outside in; of what a part that is a message holds, with
 * `enclosed`.
 * @returns null where there is no such part
 */
export function partStructure(bodyStructure: string, part: readonly number[], enclosed: boolean): string | null {
  let structure = bodyStructure;
  let message: string | null = bodyStructure;
  for (const number of part) {
    const parts: readonly string[] = partsOf(structure) ?? (message === null ? [] : (partsOf(message) ?? [message]));
    const next = parts[number - 1];
    if (next === undefined) return null;
    structure = next;
    message = enclosedBy(next);
  }
  return enclosed ? message : structure;
}

/** The structure of a part that is not multipart once its encoding is undone. `octets` of them are left. Decoded octets
 * are not made of lines of text (RFC 5524 §3.1), so none are counted. */
export function decodedStructure(structure: string, encoding: string, octets: number): string {
  const elements = elementsOf(structure);
  elements[5] = `"${encoding}"`;
  elements[6] = `${octets}`;
  if (/^\d+$/.test(elements[7] ?? '')) elements[7] = '0';
  return `(${elements.join(' ')})`;
}
