// What a connection remembers of its conversation: pairs, one recipient, bounds, and no secrets.

import { expect, test } from 'vitest';
import { Transcript } from '../../../src/smtp/client/transcript.ts';

function opened(): Transcript {
  const transcript = new Transcript();
  transcript.heard({ code: 220, text: 'mx.test ESMTP' });
  transcript.said('EHLO here.test\r\n');
  transcript.heard({ code: 250, text: 'mx.test\nPIPELINING\nSIZE 100' });
  return transcript;
}

const OPENING = ['S: 220 mx.test ESMTP', 'C: EHLO here.test', 'S: 250-mx.test', 'S: 250-PIPELINING', 'S: 250 SIZE 100'];

test('commands that left together have their replies, and each recipient its own', () => {
  const transcript = opened();
  transcript.begin();
  transcript.said('MAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n');
  transcript.heard({ code: 250, status: '2.1.0', text: 'ok' });
  transcript.heard({ code: 450, status: '4.2.0', text: 'later' });
  transcript.heard({ code: 250, text: 'b' });
  transcript.heard({ code: 354, text: 'go' });
  transcript.said('\r\n.\r\n');
  transcript.heard({ code: 451, text: 'disk' });
  const ends = ['C: DATA', 'S: 354 go', 'C: .', 'S: 451 disk'];
  expect(transcript.lines('RCPT TO:<a@x.test>')).toEqual([
    ...OPENING,
    'C: MAIL FROM:<>',
    'S: 250 2.1.0 ok',
    'C: RCPT TO:<a@x.test>',
    'S: 450 4.2.0 later',
    ...ends,
  ]);
  expect(transcript.lines('RCPT TO:<b@x.test>')).toContain('S: 250 b');
  transcript.begin();
  transcript.said('MAIL FROM:<c@x.test>\r\n');
  expect(transcript.lines(null)).toEqual([...OPENING, 'C: MAIL FROM:<c@x.test>']);
});

test.each([
  ['AUTH PLAIN c2VjcmV0', []],
  ['auth LOGIN', ['dXNlcg==', 'c2VjcmV0']],
  ['AUTH SCRAM-SHA-256 c2VjcmV0', ['c2VjcmV0', '']],
])('nothing of an AUTH exchange: %s', (first, rest) => {
  const transcript = opened();
  for (const line of [first, ...rest]) {
    transcript.said(`${line}\r\n`);
    transcript.heard({ code: line === (rest.at(-1) ?? first) ? 535 : 334, status: '5.7.8', text: `c2VjcmV0 ${line}` });
  }
  transcript.said('QUIT\r\n');
  const said = transcript.lines(null).join('\n');
  expect(said).not.toMatch(/c2Vj|dXNl/);
  expect(said).toContain('535');
  expect(said).toContain('C: QUIT');
});

test('is bounded, whatever the other side says', () => {
  const transcript = new Transcript();
  for (let at = 0; at < 1_000; at++) transcript.heard({ code: 250, text: 'x'.repeat(10_000) });
  transcript.begin();
  for (let at = 0; at < 1_000; at++) {
    transcript.said(`RCPT TO:<${at}@${'x'.repeat(1_000)}>\r\n`);
    transcript.heard({ code: 450, text: `${'y\n'.repeat(5_000)}` });
  }
  const lines = transcript.lines(null);
  expect(lines.join('').length).toBeLessThan(5_000);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(250);
});
