// Every capability that Postern can advertise: its name, its RFC, when a client sees it (RFC 3501 §6.1.1, §7.2.1), and a
// program of somebody else's that uses it. Transcripts name the RFC in their heads; test/rfc/ checks all of it.

/** What decides: is the connection encrypted (or may it stay clear), can it be, has the client logged in. */
export interface Standing {
  readonly authenticated: boolean;
  /** A password may cross this connection. */
  readonly mayLogIn: boolean;
  readonly mayStartTls: boolean;
  /** COMPRESS is on. */
  readonly compressed: boolean;
  /** SASL mechanisms that can be had on this connection. */
  readonly mechanisms: readonly string[];
  /** Octets of a message that APPEND takes. */
  readonly appendLimit: number;
  /** UNAUTHENTICATE is not switched off. */
  readonly mayLogOut: boolean;
}

interface Capability {
  readonly name: string;
  /** What stands behind its name, with the equals sign. */
  readonly value?: (standing: Standing) => string;
  readonly rfc: string;
  readonly when: (standing: Standing) => boolean;
  /** Uses it when test/interop or test/imap drives it, by the name that test/interop has for it; null: none of them does. */
  readonly program: string | null;
}

const always = (): boolean => true;
const beforeLogin = ({ authenticated, mayLogIn }: Standing): boolean => !authenticated && mayLogIn;
const afterLogin = ({ authenticated }: Standing): boolean => authenticated;

/** RFC 3501 §7.2.1: `AUTH=` and the name of a mechanism. */
function mechanism(name: string, rfc: string, program: string | null): Capability {
  return {
    name: `AUTH=${name}`,
    rfc,
    program,
    when: (standing) => beforeLogin(standing) && standing.mechanisms.includes(name),
  };
}

export const CAPABILITIES: readonly Capability[] = [
  { name: 'IMAP4rev1', rfc: 'RFC 3501', when: always, program: 'python3 imaplib' },
  { name: 'IMAP4rev2', rfc: 'RFC 9051', when: always, program: 'imapflow' },
  { name: 'LITERAL+', rfc: 'RFC 7888', when: always, program: 'mbsync' },
  { name: 'SASL-IR', rfc: 'RFC 4959', when: always, program: 'curl' },
  { name: 'ID', rfc: 'RFC 2971', when: always, program: 'imapflow' },
  { name: 'ENABLE', rfc: 'RFC 5161', when: always, program: 'imapflow' },
  { name: 'STARTTLS', rfc: 'RFC 3501', when: ({ mayStartTls }) => mayStartTls, program: 'curl' },
  {
    name: 'LOGINDISABLED',
    rfc: 'RFC 3501',
    when: ({ authenticated, mayLogIn }) => !authenticated && !mayLogIn,
    program: 'python3 imaplib',
  },
  mechanism('EXTERNAL', 'RFC 4422', 'curl'),
  mechanism('SCRAM-SHA-256-PLUS', 'RFC 7677', 'gsasl'),
  mechanism('SCRAM-SHA-1-PLUS', 'RFC 5802', 'gsasl'),
  mechanism('SCRAM-SHA-256', 'RFC 7677', 'mbsync'),
  mechanism('SCRAM-SHA-1', 'RFC 5802', 'mbsync'),
  mechanism('OAUTHBEARER', 'RFC 7628', 'curl'),
  mechanism('XOAUTH2', 'RFC 7628', null),
  mechanism('PLAIN', 'RFC 4616', 'curl'),
  mechanism('LOGIN', 'RFC 3501', null),
  { name: 'IDLE', rfc: 'RFC 2177', when: always, program: 'imapflow' },
  { name: 'NAMESPACE', rfc: 'RFC 2342', when: afterLogin, program: 'mbsync' },
  { name: 'CHILDREN', rfc: 'RFC 3348', when: afterLogin, program: 'imapflow' },
  { name: 'LIST-EXTENDED', rfc: 'RFC 5258', when: afterLogin, program: 'imapflow' },
  { name: 'LIST-STATUS', rfc: 'RFC 5819', when: afterLogin, program: 'imapflow' },
  { name: 'SPECIAL-USE', rfc: 'RFC 6154', when: afterLogin, program: 'imapflow' },
  { name: 'CREATE-SPECIAL-USE', rfc: 'RFC 6154', when: afterLogin, program: null },
  { name: 'ACL', rfc: 'RFC 4314', when: afterLogin, program: 'neomutt' },
  { name: 'RIGHTS=texk', rfc: 'RFC 4314', when: afterLogin, program: null },
  { name: 'LIST-MYRIGHTS', rfc: 'RFC 8440', when: afterLogin, program: null },
  { name: 'NOTIFY', rfc: 'RFC 5465', when: afterLogin, program: null },
  { name: 'METADATA', rfc: 'RFC 5464', when: afterLogin, program: null },
  { name: 'METADATA-SERVER', rfc: 'RFC 5464', when: afterLogin, program: null },
  { name: 'LIST-METADATA', rfc: 'RFC 9590', when: afterLogin, program: null },
  { name: 'QUOTA', rfc: 'RFC 9208', when: afterLogin, program: 'imapflow' },
  { name: 'QUOTASET', rfc: 'RFC 9208', when: afterLogin, program: null },
  { name: 'QUOTA=RES-STORAGE', rfc: 'RFC 9208', when: afterLogin, program: 'imapflow' },
  { name: 'QUOTA=RES-MESSAGE', rfc: 'RFC 9208', when: afterLogin, program: 'imapflow' },
  { name: 'UIDPLUS', rfc: 'RFC 4315', when: afterLogin, program: 'mbsync' },
  { name: 'MULTIAPPEND', rfc: 'RFC 3502', when: afterLogin, program: null },
  { name: 'CATENATE', rfc: 'RFC 4469', when: afterLogin, program: null },
  { name: 'REPLACE', rfc: 'RFC 8508', when: afterLogin, program: null },
  { name: 'URLAUTH', rfc: 'RFC 4467', when: afterLogin, program: null },
  { name: 'URLAUTH=BINARY', rfc: 'RFC 5524', when: afterLogin, program: null },
  { name: 'URL-PARTIAL', rfc: 'RFC 5550', when: afterLogin, program: null },
  { name: 'UNSELECT', rfc: 'RFC 3691', when: afterLogin, program: 'imapflow' },
  {
    name: 'COMPRESS=DEFLATE',
    rfc: 'RFC 4978',
    when: (standing) => afterLogin(standing) && !standing.compressed,
    program: 'mbsync',
  },
  { name: 'MOVE', rfc: 'RFC 6851', when: afterLogin, program: 'imapflow' },
  { name: 'CONDSTORE', rfc: 'RFC 7162', when: afterLogin, program: 'imapflow' },
  { name: 'QRESYNC', rfc: 'RFC 7162', when: afterLogin, program: 'imapflow' },
  { name: 'UIDONLY', rfc: 'RFC 9586', when: afterLogin, program: null },
  { name: 'UIDBATCHES', rfc: 'RFC 10022', when: afterLogin, program: null },
  { name: 'INPROGRESS', rfc: 'RFC 9585', when: afterLogin, program: null },
  {
    name: 'UNAUTHENTICATE',
    rfc: 'RFC 8437',
    when: (standing) => afterLogin(standing) && standing.mayLogOut,
    program: null,
  },
  { name: 'OBJECTID', rfc: 'RFC 8474', when: afterLogin, program: 'imapflow' },
  { name: 'SAVEDATE', rfc: 'RFC 8514', when: afterLogin, program: null },
  { name: 'STATUS=SIZE', rfc: 'RFC 8438', when: afterLogin, program: 'imapflow' },
  {
    name: 'APPENDLIMIT',
    value: ({ appendLimit }) => `=${appendLimit}`,
    rfc: 'RFC 7889',
    when: afterLogin,
    program: 'imapflow',
  },
  { name: 'BINARY', rfc: 'RFC 3516', when: afterLogin, program: 'imapflow' },
  { name: 'UTF8=ACCEPT', rfc: 'RFC 9755', when: afterLogin, program: 'neomutt' },
  { name: 'PREVIEW', rfc: 'RFC 8970', when: afterLogin, program: null },
  { name: 'ESEARCH', rfc: 'RFC 4731', when: afterLogin, program: 'imapflow' },
  { name: 'SEARCHRES', rfc: 'RFC 5182', when: afterLogin, program: null },
  { name: 'WITHIN', rfc: 'RFC 5032', when: afterLogin, program: 'imapflow' },
  { name: 'PARTIAL', rfc: 'RFC 9394', when: afterLogin, program: 'imapflow' },
  { name: 'SEARCH=FUZZY', rfc: 'RFC 6203', when: afterLogin, program: null },
  { name: 'SORT', rfc: 'RFC 5256', when: afterLogin, program: 'alpine' },
  { name: 'SORT=DISPLAY', rfc: 'RFC 5957', when: afterLogin, program: null },
  { name: 'ESORT', rfc: 'RFC 5267', when: afterLogin, program: null },
  { name: 'CONTEXT=SEARCH', rfc: 'RFC 5267', when: afterLogin, program: null },
  { name: 'CONTEXT=SORT', rfc: 'RFC 5267', when: afterLogin, program: null },
  { name: 'MULTISEARCH', rfc: 'RFC 7377', when: afterLogin, program: null },
  { name: 'THREAD=ORDEREDSUBJECT', rfc: 'RFC 5256', when: afterLogin, program: 'alpine' },
  { name: 'THREAD=REFERENCES', rfc: 'RFC 5256', when: afterLogin, program: 'alpine' },
  { name: 'THREAD=REFS', rfc: 'draft-ietf-morg-inthread', when: afterLogin, program: null },
  { name: 'I18NLEVEL=1', rfc: 'RFC 5255', when: afterLogin, program: null },
];

/** capability-data without its parentheses: `CAPABILITY IMAP4rev1 …`, as a response and as a response code. */
export function capabilityData(standing: Standing): string {
  const names = CAPABILITIES.filter(({ when }) => when(standing)).map(
    ({ name, value }) => name + (value?.(standing) ?? ''),
  );
  return `CAPABILITY ${names.join(' ')}`;
}
