// Character references of HTML: the names of HTML 4, and numbers as browsers take them.

const WESTERN = new TextDecoder('windows-1252');

/** Names of the characters 160 to 255, in their order (HTML 4, Latin-1). */
const LATIN =
  `nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute
micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil
Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute
Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute
icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml`.split(
    /\s+/,
  );
/** Those of HTML 4 that are not Latin-1, by the code of the first of a row. */
const ROWS: readonly (readonly [code: number, names: string])[] = [
  [913, 'Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho'],
  [931, 'Sigma Tau Upsilon Phi Chi Psi Omega'],
  [945, 'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf'],
  [963, 'sigma tau upsilon phi chi psi omega'],
  [8194, 'ensp emsp'],
  [8204, 'zwnj zwj lrm rlm'],
  [8224, 'dagger Dagger'],
  [8242, 'prime Prime'],
  [8249, 'lsaquo rsaquo'],
  [8592, 'larr uarr rarr darr harr'],
  [8656, 'lArr uArr rArr dArr hArr'],
  [8800, 'ne equiv'],
  [8804, 'le ge'],
];
const NAMED: ReadonlyMap<string, string> = new Map([
  ...LATIN.map((name, at) => [name, String.fromCharCode(160 + at)] as const),
  ...ROWS.flatMap(([code, names]) =>
    names.split(' ').map((name, at) => [name, String.fromCharCode(code + at)] as const),
  ),
  ...Object.entries({
    amp: '&',
    apos: "'",
    bdquo: '„',
    bull: '•',
    euro: '€',
    gt: '>',
    hellip: '…',
    ldquo: '“',
    lsquo: '‘',
    lt: '<',
    mdash: '—',
    ndash: '–',
    OElig: 'Œ',
    oelig: 'œ',
    quot: '"',
    rdquo: '”',
    rsquo: '’',
    sbquo: '‚',
    Scaron: 'Š',
    scaron: 'š',
    asymp: '≈',
    circ: 'ˆ',
    fnof: 'ƒ',
    frasl: '⁄',
    infin: '∞',
    loz: '◊',
    minus: '−',
    oline: '‾',
    part: '∂',
    permil: '‰',
    prod: '∏',
    radic: '√',
    sum: '∑',
    thinsp: '\u2009',
    tilde: '˜',
    clubs: '♣',
    diams: '♦',
    hearts: '♥',
    spades: '♠',
    trade: '™',
    Yuml: 'Ÿ',
  }),
]);

/** The character of a name as it stands between `&` and `;`; undefined: there is none. */
export function namedCharacter(name: string): string | undefined {
  return NAMED.get(name);
}

/** The character of a numeric reference. Those of the C1 controls mean Windows-1252, as browsers have it. */
export function numberedCharacter(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return WESTERN.decode(Uint8Array.of(code));
  const valid = code > 0 && code <= 0x10_ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? String.fromCodePoint(code) : '\ufffd';
}
