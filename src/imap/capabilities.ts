// Every capability that Postern can advertise: its name, its RFC, and when a client sees it (RFC 3501 §6.1.1, §7.2.1).

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
}

interface Capability {
  readonly name: string;
  /** What stands behind its name, with the equals sign. */
  readonly value?: (standing: Standing) => string;
  readonly rfc: string;
  readonly when: (standing: Standing) => boolean;
}

const always = (): boolean => true;
const beforeLogin = ({ authenticated, mayLogIn }: Standing): boolean => !authenticated && mayLogIn;
const afterLogin = ({ authenticated }: Standing): boolean => authenticated;

/** RFC 3501 §7.2.1: `AUTH=` and the name of a mechanism. */
function mechanism(name: string, rfc: string): Capability {
  return {
    name: `AUTH=${name}`,
    rfc,
    when: (standing) => beforeLogin(standing) && standing.mechanisms.includes(name),
  };
}

export const CAPABILITIES: readonly Capability[] = [
  { name: 'IMAP4rev1', rfc: 'RFC 3501', when: always },
  { name: 'IMAP4rev2', rfc: 'RFC 9051', when: always },
  { name: 'LITERAL+', rfc: 'RFC 7888', when: always },
  { name: 'SASL-IR', rfc: 'RFC 4959', when: always },
  { name: 'ID', rfc: 'RFC 2971', when: always },
  { name: 'ENABLE', rfc: 'RFC 5161', when: always },
  { name: 'STARTTLS', rfc: 'RFC 3501', when: ({ mayStartTls }) => mayStartTls },
  { name: 'LOGINDISABLED', rfc: 'RFC 3501', when: ({ authenticated, mayLogIn }) => !authenticated && !mayLogIn },
  mechanism('EXTERNAL', 'RFC 4422'),
  mechanism('SCRAM-SHA-256-PLUS', 'RFC 7677'),
  mechanism('SCRAM-SHA-1-PLUS', 'RFC 5802'),
  mechanism('SCRAM-SHA-256', 'RFC 7677'),
  mechanism('SCRAM-SHA-1', 'RFC 5802'),
  mechanism('OAUTHBEARER', 'RFC 7628'),
  mechanism('XOAUTH2', 'RFC 7628'),
  mechanism('PLAIN', 'RFC 4616'),
  mechanism('LOGIN', 'RFC 3501'),
  { name: 'IDLE', rfc: 'RFC 2177', when: always },
  { name: 'NAMESPACE', rfc: 'RFC 2342', when: afterLogin },
  { name: 'CHILDREN', rfc: 'RFC 3348', when: afterLogin },
  { name: 'LIST-EXTENDED', rfc: 'RFC 5258', when: afterLogin },
  { name: 'LIST-STATUS', rfc: 'RFC 5819', when: afterLogin },
  { name: 'SPECIAL-USE', rfc: 'RFC 6154', when: afterLogin },
  { name: 'CREATE-SPECIAL-USE', rfc: 'RFC 6154', when: afterLogin },
  { name: 'ACL', rfc: 'RFC 4314', when: afterLogin },
  { name: 'RIGHTS=texk', rfc: 'RFC 4314', when: afterLogin },
  { name: 'LIST-MYRIGHTS', rfc: 'RFC 8440', when: afterLogin },
  { name: 'NOTIFY', rfc: 'RFC 5465', when: afterLogin },
  { name: 'METADATA', rfc: 'RFC 5464', when: afterLogin },
  { name: 'METADATA-SERVER', rfc: 'RFC 5464', when: afterLogin },
  { name: 'LIST-METADATA', rfc: 'RFC 9590', when: afterLogin },
  { name: 'QUOTA', rfc: 'RFC 9208', when: afterLogin },
  { name: 'QUOTASET', rfc: 'RFC 9208', when: afterLogin },
  { name: 'QUOTA=RES-STORAGE', rfc: 'RFC 9208', when: afterLogin },
  { name: 'QUOTA=RES-MESSAGE', rfc: 'RFC 9208', when: afterLogin },
  { name: 'UIDPLUS', rfc: 'RFC 4315', when: afterLogin },
  { name: 'MULTIAPPEND', rfc: 'RFC 3502', when: afterLogin },
  { name: 'CATENATE', rfc: 'RFC 4469', when: afterLogin },
  { name: 'REPLACE', rfc: 'RFC 8508', when: afterLogin },
  { name: 'URLAUTH', rfc: 'RFC 4467', when: afterLogin },
  { name: 'URLAUTH=BINARY', rfc: 'RFC 5524', when: afterLogin },
  { name: 'URL-PARTIAL', rfc: 'RFC 5550', when: afterLogin },
  { name: 'UNSELECT', rfc: 'RFC 3691', when: afterLogin },
  { name: 'COMPRESS=DEFLATE', rfc: 'RFC 4978', when: (standing) => afterLogin(standing) && !standing.compressed },
  { name: 'MOVE', rfc: 'RFC 6851', when: afterLogin },
  { name: 'CONDSTORE', rfc: 'RFC 7162', when: afterLogin },
  { name: 'QRESYNC', rfc: 'RFC 7162', when: afterLogin },
  { name: 'UIDONLY', rfc: 'RFC 9586', when: afterLogin },
  { name: 'UIDBATCHES', rfc: 'RFC 10022', when: afterLogin },
  { name: 'INPROGRESS', rfc: 'RFC 9585', when: afterLogin },
  { name: 'UNAUTHENTICATE', rfc: 'RFC 8437', when: afterLogin },
  { name: 'OBJECTID', rfc: 'RFC 8474', when: afterLogin },
  { name: 'SAVEDATE', rfc: 'RFC 8514', when: afterLogin },
  { name: 'STATUS=SIZE', rfc: 'RFC 8438', when: afterLogin },
  { name: 'APPENDLIMIT', value: ({ appendLimit }) => `=${appendLimit}`, rfc: 'RFC 7889', when: afterLogin },
  { name: 'BINARY', rfc: 'RFC 3516', when: afterLogin },
  { name: 'UTF8=ACCEPT', rfc: 'RFC 9755', when: afterLogin },
  { name: 'PREVIEW', rfc: 'RFC 8970', when: afterLogin },
  { name: 'ESEARCH', rfc: 'RFC 4731', when: afterLogin },
  { name: 'SEARCHRES', rfc: 'RFC 5182', when: afterLogin },
  { name: 'WITHIN', rfc: 'RFC 5032', when: afterLogin },
  { name: 'PARTIAL', rfc: 'RFC 9394', when: afterLogin },
  { name: 'SEARCH=FUZZY', rfc: 'RFC 6203', when: afterLogin },
  { name: 'SORT', rfc: 'RFC 5256', when: afterLogin },
  { name: 'SORT=DISPLAY', rfc: 'RFC 5957', when: afterLogin },
  { name: 'ESORT', rfc: 'RFC 5267', when: afterLogin },
  { name: 'CONTEXT=SEARCH', rfc: 'RFC 5267', when: afterLogin },
  { name: 'CONTEXT=SORT', rfc: 'RFC 5267', when: afterLogin },
  { name: 'MULTISEARCH', rfc: 'RFC 7377', when: afterLogin },
  { name: 'THREAD=ORDEREDSUBJECT', rfc: 'RFC 5256', when: afterLogin },
  { name: 'THREAD=REFERENCES', rfc: 'RFC 5256', when: afterLogin },
  { name: 'THREAD=REFS', rfc: 'draft-ietf-morg-inthread', when: afterLogin },
  { name: 'I18NLEVEL=1', rfc: 'RFC 5255', when: afterLogin },
];

/** capability-data without its parentheses: `CAPABILITY IMAP4rev1 …`, as a response and as a response code. */
export function capabilityData(standing: Standing): string {
  const names = CAPABILITIES.filter(({ when }) => when(standing)).map(
    ({ name, value }) => name + (value?.(standing) ?? ''),
  );
  return `CAPABILITY ${names.join(' ')}`;
}
