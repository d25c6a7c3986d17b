// Messages of random structure made 7-bit: every part decodes to what it was, wherever the pieces were cut.

import { isAscii } from 'node:buffer';
import { expect, it } from 'vitest';
import { SevenBitConversion } from '../../src/formats/seven-bit.ts';
import { type Entity, structureOf } from '../../src/formats/structure.ts';
import { transferDecoder } from '../../src/formats/transfer-encoding.ts';
import { Random } from '../fuzz/random.ts';

const WORDS = ['a word', 'Gruß', 'ü', ' ', '', '--', '=', '.', 'From x', '\xa0\xff', 'длинное слово'];

/** An entity as octets, one character each. @param id tells its boundary from the others */
function entity(chance: Random, depth: number, id: string): string {
  const encoding = chance.pick([
    '',
    '',
    'Content-Transfer-Encoding: 8bit\r\n',
    'content-transfer-encoding: binary\r\n',
  ]);
  const kind = depth > 3 ? 0 : chance.below(5);
  if (kind === 1) return `Content-Type: message/rfc822\r\n${encoding}\r\n${entity(chance, depth + 1, `${id}m`)}`;
  if (kind < 3) {
    const type = chance.pick(['', 'Content-Type: text/html\r\n', 'Content-Type: image/x\r\n']);
    const lines = Array.from({ length: chance.below(6) }, () => chance.pick(WORDS).repeat(chance.between(1, 9)));
    return `${type}${encoding}\r\n${lines.join('\r\n')}\r\n`;
  }
  const parts = Array.from({ length: chance.between(1, 3) }, (_, index) => entity(chance, depth + 1, `${id}${index}`));
  const body = parts.map((part) => `--${id}\r\n${part}\r\n`).join('');
  return `Content-Type: multipart/mixed; boundary="${id}"\r\n${encoding}\r\n${body}--${id}--\r\n`;
}

/** What each part of the tree holds, decoded. */
function contents(octets: Buffer, root: Entity): string[] {
  if (root.parts !== null) return root.parts.flatMap((part) => contents(octets, part));
  if (root.message !== null) return contents(octets, root.message);
  const { type, subtype, encoding } = root.mime;
  const decoder = transferDecoder(encoding);
  const decoded = Buffer.concat([decoder.decode(octets.subarray(root.bodyStart, root.end)), decoder.end()]);
  return [`${type}/${subtype} ${decoded.toString('latin1')}`];
}

it('decodes to what it was', () => {
  const chance = new Random(6152);
  for (let round = 0; round < 600; round += 1) {
    const before = Buffer.from(`MIME-Version: 1.0\r\n${entity(chance, 0, 'b')}`);
    const convert = (piece: number): Buffer => {
      const conversion = new SevenBitConversion({ charset: 'utf-8', relabel: true });
      const parts: Uint8Array[] = [];
      for (let at = 0; at < before.length; at += piece) parts.push(conversion.push(before.subarray(at, at + piece)));
      return Buffer.concat([...parts, conversion.end()]);
    };
    const after = convert(1 + chance.below(100));
    expect(convert(before.length).equals(after)).toBe(true);
    expect(isAscii(after), before.toString()).toBe(true);
    expect(after.toString('latin1')).not.toMatch(/content-transfer-encoding: *(?:8bit|binary)/i);
    expect(contents(after, structureOf(after)), before.toString()).toEqual(contents(before, structureOf(before)));
  }
});
