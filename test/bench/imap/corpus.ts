// The mailbox that IMAP is measured on: always the same messages, of which 70 % are 4 KB of text, 25 % 30 KB with an HTML
// alternative and 5 % half a megabyte with an attachment, in threads of three. A word for each kind of search stands in
// one message of a thousand.

/** What is searched for, by the key of SEARCH. */
export const NEEDLES = { SUBJECT: 'quincunxial', FROM: 'zephyrine', BODY: 'wyvernstone', TEXT: 'gallowglass' } as const;

/** A small generator of numbers that need not be good, only the same each time (a xorshift of 32 bits). */
function numbersFrom(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const SYLLABLES = 'ab ce di fo gu he il jo ka lu ma ne or pi qua re so ti ur va we xo yl zu'.split(' ');
const WORDS = words(3000);
const ATTACHMENT = octets(1 << 20);

function words(count: number): readonly string[] {
  const next = numbersFrom(1);
  const word = () => Array.from({ length: 2 + (next() % 4) }, () => SYLLABLES[next() % SYLLABLES.length]).join('');
  return Array.from({ length: count }, word);
}

function octets(count: number): Buffer {
  const next = numbersFrom(2);
  const made = Buffer.alloc(count);
  for (let at = 0; at < count; at += 4) made.writeUInt32LE(next(), at);
  return made;
}

/** Lines of words, about so many octets. */
function prose(next: () => number, length: number): string {
  const lines: string[] = [];
  let line = '';
  for (let written = 0; written < length; ) {
    line += `${WORDS[next() % WORDS.length]} `;
    if (line.length < 66) continue;
    lines.push(line.trimEnd());
    written += line.length + 1;
    line = '';
  }
  return lines.join('\r\n');
}

/** Message `number`, counted from 0. */
export function corpusMessage(number: number): Buffer {
  const next = numbersFrom(number + 10);
  const word = (): string => WORDS[next() % WORDS.length] ?? '';
  const here = (place: number, needle: string): string => (number % 1000 === place ? `${needle} ` : '');
  const from = number % 1000 === 217 ? NEEDLES.FROM : word();
  const date = new Date(Date.UTC(2025, 0, 1) + number * 1_800_000).toUTCString().replace('GMT', '+0000');
  const first = number - (number % 3);
  const head = [
    `Return-Path: <${from}@sender${next() % 50}.test>`,
    `Received: from mx${next() % 9}.sender.test (mx.sender.test [192.0.2.${next() % 255}])`,
    `\tby mail.example.test with ESMTPS id ${number.toString(36)}; ${date}`,
    `Date: ${date}`,
    `From: "${word()} ${word()}" <${from}@sender${next() % 50}.test>`,
    `To: Bench <bench@example.test>, <other${next() % 20}@example.test>`,
    `Subject: ${number === first ? '' : 'Re: '}${here(108, NEEDLES.SUBJECT)}${word()} ${word()} ${word()} ${first}`,
    `Message-ID: <${number}.corpus@sender.test>`,
    ...(number === first
      ? []
      : [`In-Reply-To: <${first}.corpus@sender.test>`, `References: <${first}.corpus@sender.test>`]),
    'MIME-Version: 1.0',
    '',
  ].join('\r\n');
  const opening = `${here(305, NEEDLES.BODY)}${here(411, NEEDLES.TEXT)}`;
  return Buffer.from(head + contentOf(number % 20, `=_${number}`, opening, next), 'latin1');
}

/** The rest of the header, and the body. @param place among twenty: 14 of text, 5 with HTML, 1 with an attachment */
function contentOf(place: number, boundary: string, opening: string, next: () => number): string {
  const text = 'Content-Type: text/plain; charset=utf-8\r\n';
  if (place < 14) return `${text}Content-Transfer-Encoding: 7bit\r\n\r\n${opening}${prose(next, 3400)}\r\n`;
  const kind = place < 19 ? 'alternative' : 'mixed';
  const begin = `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n--${boundary}\r\n${text}\r\n${opening}`;
  if (place < 19) {
    const html = prose(next, 18_000)
      .split('\r\n')
      .map((line) => `<p style=3D"color:#333">${line}</p>`)
      .join('\r\n');
    return (
      `${begin}${prose(next, 4000)}\r\n--${boundary}\r\nContent-Type: text/html; charset=utf-8\r\n` +
      `Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><body>${html}</body></html>\r\n--${boundary}--\r\n`
    );
  }
  const length = 362_000;
  const from = next() % (ATTACHMENT.length - length);
  const encoded = ATTACHMENT.subarray(from, from + length)
    .toString('base64')
    .replace(/.{76}/g, '$&\r\n');
  return (
    `${begin}${prose(next, 2000)}\r\n--${boundary}\r\nContent-Type: application/pdf; name="${from}.pdf"\r\n` +
    `Content-Disposition: attachment; filename="${from}.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n` +
    `${encoded}\r\n--${boundary}--\r\n`
  );
}
