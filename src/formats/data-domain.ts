// Which identity encoding octets can carry as their label: 7bit, 8bit or binary data (RFC 2045 §2.7 to §2.9), found out
// as they come, in pieces of any size.

const CR = 13;
const LF = 10;
/** Octets of a line without its CRLF. */
const LINE = 998;

export type Domain = '7bit' | '8bit' | 'binary';

export class DataDomain {
  #high = false;
  #binary = false;
  #line = 0;
  #afterCr = false;

  add(octets: Uint8Array): void {
    for (let i = 0; i < octets.length && !this.#binary; i++) {
      const octet = octets[i] ?? 0;
      // CR and LF are there as CRLF alone, NUL is not.
      if (octet === 0 || (octet === LF) !== this.#afterCr) this.#binary = true;
      this.#line = octet === LF ? 0 : this.#line + 1;
      if (this.#line > LINE && octet !== CR) this.#binary = true;
      if (octet > 127) this.#high = true;
      this.#afterCr = octet === CR;
    }
  }

  /** Of all that has come so far. */
  get domain(): Domain {
    if (this.#binary || this.#afterCr) return 'binary';
    return this.#high ? '8bit' : '7bit';
  }
}
