// mailparser, which is somebody else's reading of the RFCs, as an oracle: of generated messages both find the same
// texts, attachments, addresses, subject and date.

import { type AddressObject, simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import { charsetDecoder } from '../../src/formats/charset.ts';
import { parseDate } from '../../src/formats/date.ts';
import { decodeWords } from '../../src/formats/encoded-words.ts';
import { firstField, type HeaderField, headerAddresses } from '../../src/formats/header.ts';
import { parameter } from '../../src/formats/parameters.ts';
import { type Entity, structureOf } from '../../src/formats/structure.ts';
import { transferDecoder } from '../../src/formats/transfer-encoding.ts';
import { Random } from '../fuzz/random.ts';
import { MessageMaker } from './made-message.ts';

function* leaves(entity: Entity): Generator<Entity> {
  if (entity.parts === null) yield entity;
  for (const part of entity.parts ?? []) yield* leaves(part);
}

function content(octets: Buffer, { bodyStart, end, mime }: Entity): Buffer {
  const decoder = transferDecoder(mime.encoding);
  return Buffer.concat([decoder.decode(octets.subarray(bodyStart, end)), decoder.end()]);
}

function text(octets: Buffer, leaf: Entity): string {
  const decoder = charsetDecoder(parameter({ value: '', ...leaf.mime }, 'charset') ?? null);
  return decoder.decode(content(octets, leaf)) + decoder.end();
}

const value = (fields: readonly HeaderField[], name: string): string => firstField(fields, name)?.value ?? '';

const mailboxes = (fields: readonly HeaderField[], name: string): unknown =>
  headerAddresses(value(fields, name)).map((mailbox) => ({
    name: decodeWords(mailbox.name),
    address: `${mailbox.address?.localPart}@${mailbox.address?.domain}`,
  }));

const theirs = (addresses: AddressObject | AddressObject[] | undefined): unknown =>
  [addresses ?? []].flat().flatMap((object) => object.value.map(({ name, address }) => ({ name, address })));

/** mailparser joins texts, and ends lines with LF. */
const lines = (all: string): string[] =>
  all
    .split(/\s*\n\s*/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

test.each(Array.from({ length: 120 }, (_, seed) => seed + 1000))('seed %i', async (seed) => {
  const made = new MessageMaker(new Random(seed), { depth: 3, messages: false }).message();
  const mail = await simpleParser(made.octets);
  const message = structureOf(made.octets);
  const { fields } = message;

  expect(mail.subject).toBe(decodeWords(value(fields, 'subject')));
  expect(mail.date?.getTime()).toBe(parseDate(value(fields, 'date'))?.time);
  expect(mail.messageId).toBe(value(fields, 'message-id'));
  expect(theirs(mail.from)).toEqual(mailboxes(fields, 'from'));
  expect(theirs(mail.to)).toEqual(mailboxes(fields, 'to'));

  const all = [...leaves(message)];
  const files = all.filter(({ mime }) => mime.disposition?.value === 'attachment');
  expect(mail.attachments.map(({ contentType, filename, content: octets }) => [contentType, filename, octets])).toEqual(
    files.map((leaf) => [
      `${leaf.mime.type}/${leaf.mime.subtype}`,
      leaf.mime.disposition === null ? undefined : parameter(leaf.mime.disposition, 'filename'),
      content(made.octets, leaf),
    ]),
  );
  const texts = all.filter(({ mime }) => mime.disposition === null).map((leaf) => text(made.octets, leaf));
  expect(lines(mail.text ?? '')).toEqual(lines(texts.join('\n')));
});
