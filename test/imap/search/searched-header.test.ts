// What a header is asked is looked up once, however many keys of a search ask it.

import { expect, test } from 'vitest';
import { HeaderField, parseHeader } from '../../../src/formats/header.ts';
import { SearchedHeader } from '../../../src/imap/search/searched-header.ts';

test('the addresses of a field are read once', () => {
  const [{ name, offset, length } = expect.fail('no field')] = parseHeader(
    Buffer.from('To: "Ann" <ann@(here)x.test>\r\n'),
  );
  let read = 0;
  class Counted extends HeaderField {
    override get octets(): string {
      read += 1;
      return super.octets;
    }
  }
  const header = new SearchedHeader([
    new Counted('To: "Ann" <ann@(here)x.test>\r\n', name, offset, length, 'To:'.length),
  ]);
  const asks = (text: string) =>
    header.answer({ name: 'to', addresses: true, holds: (written: string) => written.toLowerCase().includes(text) });
  expect(asks('<ann@x.test>')).toBe(true);
  const once = read;
  for (let i = 0; i < 100; i++) expect(asks(`nobody ${i}`)).toBe(false);
  expect(read).toBe(once);
});
