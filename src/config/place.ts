// Where a value of the configuration was written, and the error that says so to people.

/** A line of a file; line 0: the whole of it, or an environment variable, whose name is the file then. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** One thing that is wrong, and what to write instead. */
export interface Complaint {
  readonly place: Place;
  readonly text: string;
}

/** Complaints that one error lists; after so many the rest are rarely news. */
const MAX_LISTED = 8;

/** The configuration cannot be used. `message` has a line for each complaint: `file:line: what to write`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly complaints: readonly Complaint[];
  constructor(complaints: readonly Complaint[], options?: ErrorOptions) {
    const inOrder = complaints.toSorted((one, other) => one.place.line - other.place.line);
    const listed = inOrder.slice(0, MAX_LISTED).map(({ place, text }) => `${placeText(place)}: ${text}`);
    if (inOrder.length > MAX_LISTED) listed.push('… and more');
    super(listed.join('\n'), options);
    this.complaints = inOrder;
  }
}

/** `config/postern.toml:12`, `POSTERN_HOSTNAME`. */
export function placeText({ file, line }: Place): string {
  return line > 0 ? `${file}:${line}` : file;
}
