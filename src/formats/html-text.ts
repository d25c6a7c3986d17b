// HTML as the text that a reader sees, in pieces and in bounded memory: without tags, comments, scripts and styles, its
// character references resolved, white space as one space. For searching, not for showing: nothing here is safe HTML.

import { namedCharacter, numberedCharacter } from './character-reference.ts';

/** Elements that stand apart from what is around them. */
const APART = new Set(
  `address article aside blockquote body br caption center dd div dl dt fieldset figcaption figure footer form h1 h2 h3
   h4 h5 h6 head header hr html img input label legend li main nav ol option p pre section select table tbody td textarea
   tfoot th thead title tr ul`.split(/\s+/),
);
/** Elements whose content is no text. */
const SILENT = new Set(['script', 'style']);

const SPACE = 32;
const QUOTE = 34;
const APOSTROPHE = 39;
const EQUALS = 61;
const CLOSE = 62;

const REFERENCE = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,9}));?/y;
const TAG = /<(\/?)([A-Za-z][A-Za-z0-9]{0,15})/y;
/** Characters that a reference, or the beginning of a tag, may need. */
const AHEAD = 20;

export class HtmlText {
  #state: 'text' | 'tag' | 'comment' | 'silent' = 'text';
  /** What could not be told yet. */
  #rest = '';
  /** The quote that an attribute value is in. */
  #quote = '';
  /** An attribute's "=" has just been. */
  #valueNext = false;
  /** The element whose content is passed over, from the end of its tag on. */
  #silent = '';
  /** White space was the last thing that was given. */
  #space = true;

  /** Takes the next piece; gives what of it can be read already. */
  push(html: string): string {
    return this.#read(this.#rest + html, false);
  }

  end(): string {
    return this.#read(this.#rest, true);
  }

  #read(html: string, last: boolean): string {
    let text = '';
    let at = 0;
    const tags = new Next(html, '<');
    const references = new Next(html, '&');
    this.#rest = '';
    while (at < html.length) {
      const ahead = last ? Number.POSITIVE_INFINITY : html.length - at;
      switch (this.#state) {
        case 'text': {
          const special = Math.min(tags.behind(at), references.behind(at));
          text += this.#spaced(html.slice(at, special));
          at = special;
          if (at >= html.length) break;
          if (html.length - at < AHEAD && !last) {
            this.#rest = html.slice(at);
            return text;
          }
          const [shown, behind] = html[at] === '&' ? reference(html, at) : this.#tag(html, at);
          text += this.#spaced(shown);
          at = behind;
          break;
        }
        case 'tag':
          at = this.#insideTag(html, at);
          break;
        case 'comment':
          at = this.#until(html, at, '-->', 'text');
          break;
        case 'silent':
          if (ahead < AHEAD) {
            this.#rest = html.slice(at);
            return text;
          }
          at = this.#until(html, at, `</${this.#silent}`, 'tag');
          break;
      }
    }
    return text;
  }

  /** At "<". @returns what is shown for it, and where to go on */
  #tag(html: string, at: number): [string, number] {
    if (html.startsWith('<!--', at)) {
      this.#state = 'comment';
      // `<!-->` and `<!--->` are whole comments: the dashes may be those of the end, too.
      return ['', at + 2];
    }
    TAG.lastIndex = at;
    const found = TAG.exec(html);
    if (found === null) {
      // "a < b" is text; a declaration is none.
      if (html[at + 1] !== '!' && html[at + 1] !== '?') return ['<', at + 1];
      this.#state = 'tag';
      return ['', at + 2];
    }
    const [whole, slash, name = ''] = found;
    const element = name.toLowerCase();
    this.#state = 'tag';
    this.#silent = slash === '' && SILENT.has(element) ? element : '';
    return [APART.has(element) ? ' ' : '', at + whole.length];
  }

  #insideTag(html: string, from: number): number {
    let at = from;
    while (at < html.length) {
      if (this.#quote !== '') {
        const end = html.indexOf(this.#quote, at);
        if (end < 0) return html.length;
        this.#quote = '';
        at = end + 1;
        continue;
      }
      const code = html.charCodeAt(at);
      at += 1;
      if (code === CLOSE) {
        this.#state = this.#silent === '' ? 'text' : 'silent';
        return at;
      }
      // A quote begins a value only where one is expected.
      if (this.#valueNext && (code === QUOTE || code === APOSTROPHE)) this.#quote = String.fromCharCode(code);
      this.#valueNext = code === EQUALS || (this.#valueNext && code <= SPACE);
    }
    return at;
  }

  /** Passes over what stands before an end mark, in any case of letters. */
  #until(html: string, at: number, mark: string, next: 'text' | 'tag'): number {
    const end = indexOfAnyCase(html, mark, at);
    if (end < 0) {
      // The mark may have begun.
      const kept = Math.max(at, html.length - mark.length + 1);
      if (kept > at || html.length - at < mark.length) this.#rest = html.slice(kept);
      return html.length;
    }
    this.#state = next;
    this.#silent = '';
    return end + mark.length;
  }

  #spaced(text: string): string {
    if (text === '') return '';
    const single = /[^\S ]| {2}/.test(text) ? text.replace(/\s+/g, ' ') : text;
    const shown = this.#space && single.startsWith(' ') ? single.slice(1) : single;
    if (shown !== '') this.#space = shown.endsWith(' ');
    return shown;
  }
}

/** Where a character stands next, asked from ever later places: each stretch of text is looked through once. */
class Next {
  readonly #text: string;
  readonly #character: string;
  #found = -1;

  constructor(text: string, character: string) {
    this.#text = text;
    this.#character = character;
  }

  /** The first place from `at` on, or the end of the text. */
  behind(at: number): number {
    if (this.#found < at) {
      const found = this.#text.indexOf(this.#character, at);
      this.#found = found < 0 ? this.#text.length : found;
    }
    return this.#found;
  }
}

/** At "&". @returns the character, or the "&" itself where it begins no reference */
function reference(html: string, at: number): [string, number] {
  REFERENCE.lastIndex = at;
  const found = REFERENCE.exec(html);
  if (found === null) return ['&', at + 1];
  const [whole, decimal, hex, name] = found;
  if (name !== undefined) {
    const character = namedCharacter(name);
    // Beyond Latin-1 a name ends in a semicolon: `&part=2` is what it says.
    const meant = character !== undefined && (character <= '\xff' || whole.endsWith(';'));
    return meant ? [character, at + whole.length] : ['&', at + 1];
  }
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  return [numberedCharacter(code), at + whole.length];
}

function indexOfAnyCase(text: string, mark: string, from: number): number {
  const expression = new RegExp(mark.replace(/[/-]/g, '\\$&'), 'gi');
  expression.lastIndex = from;
  return expression.exec(text)?.index ?? -1;
}
