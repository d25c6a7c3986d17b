// The boundaries of the multiparts around what is read (RFC 2046 §5.1.1), outermost first, and which of them stands at the
// start of a line: a step for each octet that fits, however many multiparts there are.

interface Node {
  readonly next: Map<number, Node>;
  /** Whose boundary ends here, innermost last. */
  readonly levels: number[];
}

export interface BoundaryFound {
  readonly level: number;
  /** Octets with the dashes in front. */
  readonly length: number;
}

const DASH = 45;
const DASHES = 2;

export class Boundaries {
  readonly #root: Node = { next: new Map(), levels: [] };
  readonly #all: string[] = [];

  get length(): number {
    return this.#all.length;
  }

  /** @param boundary binary text, without dashes @returns the level of its multipart: 0 is the outermost */
  push(boundary: string): number {
    const level = this.#all.push(boundary) - 1;
    let node = this.#root;
    for (let at = 0; at < boundary.length; at += 1) {
      const octet = boundary.charCodeAt(at);
      let next = node.next.get(octet);
      if (next === undefined) {
        next = { next: new Map(), levels: [] };
        node.next.set(octet, next);
      }
      node = next;
    }
    node.levels.push(level);
    return level;
  }

  /** Leaves the multiparts from this level on. */
  leave(level: number): void {
    while (this.#all.length > level) this.#remove(this.#all.pop() ?? '');
  }

  /** It is enough that a boundary stands at the start of the line, behind `--`. Where two fit, the longer one is meant, and
   * of two that are the same the inner one. @param octet of the line, by its place; -1 behind the end */
  startOf(octet: (place: number) => number): BoundaryFound | null {
    if (this.#all.length === 0 || octet(0) !== DASH || octet(1) !== DASH) return null;
    let found: BoundaryFound | null = null;
    let node: Node | undefined = this.#root;
    for (let length = DASHES; node !== undefined; length += 1) {
      const level = node.levels.at(-1);
      if (level !== undefined) found = { level, length };
      node = node.next.get(octet(length));
    }
    return found;
  }

  #remove(boundary: string): void {
    const path = [this.#root];
    for (let at = 0; at < boundary.length; at += 1) {
      const next = path[at]?.next.get(boundary.charCodeAt(at));
      if (next !== undefined) path.push(next);
    }
    path.at(-1)?.levels.pop();
    for (let at = boundary.length; at > 0; at -= 1) {
      const node = path[at];
      if (node === undefined || node.levels.length > 0 || node.next.size > 0) return;
      path[at - 1]?.next.delete(boundary.charCodeAt(at - 1));
    }
  }
}
