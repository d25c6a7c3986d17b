// The messages of a load: plain text of a given size, each with an id of its own, so that a lost or doubled one is named.

/** 72 octets a line, varied enough that nobody gains by compressing it. */
function filler(octets: number): string {
  const words = ['gate', 'postern', 'envelope', 'relay', 'mailbox', 'queue', 'herald', 'courier', 'seal', 'parchment'];
  let text = '';
  let line = '';
  for (let count = 7; text.length < octets; count = (count * 48_271) % 2_147_483_647) {
    line += `${words[count % words.length]} ${count % 97} `;
    if (line.length > 60) {
      text += `${line.trimEnd()}\r\n`;
      line = '';
    }
  }
  return text;
}

export interface Batch {
  /** Content of message `number`, dot-stuffed and ended by CRLF `.` CRLF, as latin1 text. */
  content(number: number, from: string, to: string): string;
  /** Message number of a Message-ID of this batch, or null. */
  numberOf(header: string): number | null;
}

/** @param size octets of a message on the wire, about; @param name distinguishes batches */
export function createBatch(name: string, size: number): Batch {
  const text = filler(size + 100);
  return {
    content(number, from, to) {
      const header =
        `From: Load <${from}>\r\nTo: <${to}>\r\nSubject: message ${number}\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n` +
        `Message-ID: <${number}.${name}@load.test>\r\nMIME-Version: 1.0\r\n` +
        'Content-Type: text/plain; charset=us-ascii\r\n\r\n';
      const end = text.lastIndexOf('\r\n', Math.max(2, size - header.length)) + 2;
      return `${header}${text.slice(0, end)}.\r\n`;
    },
    numberOf(header) {
      const found = /Message-ID:\s*<(\d+)\.([^@>]+)@load\.test>/i.exec(header);
      return found && found[2] === name ? Number(found[1]) : null;
    },
  };
}
