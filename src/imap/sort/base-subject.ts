// The base subject (RFC 5256 §2.1): a subject without the marks that replies and forwards leave on it. Exactly the
// algorithm of the RFC, since clients compute the same; in time linear in the subject.

interface BaseSubject {
  readonly text: string;
  /** Something was taken off that only replies and forwards have (RFC 5256 §3, REFERENCES). */
  readonly reply: boolean;
}

/** subj-trailer = "(fwd)" / WSP */
const TRAILER = '(fwd)';
/** subj-fwd-hdr = "[fwd:" */
const FORWARD = '[fwd:';

/** @param subject with its encoded words decoded: step (1) but for the white space */
export function baseSubject(subject: string): BaseSubject {
  const text = subject.replace(/[ \t\r\n]+/g, ' ');
  // Only ASCII letters matter, and a lower case that is longer than the letter would move what stands behind it.
  const lower = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  const marks = new Marks(lower);
  // Steps (2) to (6): whatever comes off the outside may uncover more.
  do {
    marks.dropTrailers();
    marks.dropLeaders();
  } while (marks.dropForward());
  return { text: text.slice(marks.start, marks.end), reply: marks.reply };
}

/** What is left of a subject is its characters `[start, end)`. */
class Marks {
  readonly #text: string;
  start = 0;
  end: number;
  reply = false;

  constructor(text: string) {
    this.#text = text;
    this.end = text.length;
  }

  /** Step (2). */
  dropTrailers(): void {
    for (;;) {
      while (this.end > this.start && this.#text[this.end - 1] === ' ') this.end -= 1;
      if (this.end - TRAILER.length < this.start || !this.#text.endsWith(TRAILER, this.end)) return;
      this.end -= TRAILER.length;
      this.reply = true;
    }
  }

  /** Steps (3) to (5). subj-leader = (*subj-blob subj-refwd) / WSP */
  dropLeaders(): void {
    for (;;) {
      this.start = this.#afterSpace(this.start);
      let last = this.start;
      let behind = this.start;
      for (let next = this.#afterBlob(behind); next > behind; next = this.#afterBlob(behind)) {
        last = behind;
        behind = next;
      }
      const answered = this.#afterRefwd(behind);
      if (answered < 0) {
        // Step (4): blobs come off as long as something is left; the last one may be the subject itself.
        this.start = behind < this.end ? behind : last;
        return;
      }
      this.start = answered;
      this.reply = true;
    }
  }

  /** Step (6). subj-fwd = subj-fwd-hdr subject subj-fwd-trl. @returns whether there was one */
  dropForward(): boolean {
    const inner = this.start + FORWARD.length;
    const wrapped = this.#text.startsWith(FORWARD, this.start) && inner < this.end && this.#text[this.end - 1] === ']';
    if (!wrapped) return false;
    this.start = inner;
    this.end -= 1;
    this.reply = true;
    return true;
  }

  #afterSpace(at: number): number {
    let behind = at;
    while (behind < this.end && this.#text[behind] === ' ') behind += 1;
    return behind;
  }

  /** subj-blob = "[" *BLOBCHAR "]" *WSP; BLOBCHAR is anything but brackets. @returns `at` if there is none */
  #afterBlob(at: number): number {
    if (at >= this.end || this.#text[at] !== '[') return at;
    for (let behind = at + 1; behind < this.end; behind += 1) {
      if (this.#text[behind] === ']') return this.#afterSpace(behind + 1);
      if (this.#text[behind] === '[') break;
    }
    return at;
  }

  /** subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" @returns -1 if there is none */
  #afterRefwd(at: number): number {
    const word = ['re', 'fwd', 'fw'].find((each) => this.#text.startsWith(each, at));
    if (word === undefined) return -1;
    const colon = this.#afterBlob(this.#afterSpace(at + word.length));
    return colon < this.end && this.#text[colon] === ':' ? colon + 1 : -1;
  }
}
