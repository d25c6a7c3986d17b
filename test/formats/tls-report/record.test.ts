// Where a domain wants its TLS reports: the record of RFC 8460 §3, to the letter where it is strict, and no further.

import { expect, test } from 'vitest';
import { tlsReportPlaces } from '../../../src/formats/tls-report/record.ts';

const mail = (localPart: string, domain: string) => ({ kind: 'mail', address: { localPart, domain } });
const https = (url: string) => ({ kind: 'https', url });

test.each([
  ['v=TLSRPTv1;rua=mailto:reports@example.com', [mail('reports', 'example.com')]],
  ['v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt', [https('https://reporting.example.com/v1/tlsrpt')]],
  [
    'v=TLSRPTv1 ; rua=mailto:a@x.test , https://y.test/r?a=1#part;',
    [mail('a', 'x.test'), https('https://y.test/r?a=1')],
  ],
  ['v=TLSRPTv1; new.field=some thing; rua=mailto:a@x.test', [mail('a', 'x.test')]],
  ['v=TLSRPTv1; rua=mailto:a%2Bb@x.test?subject=hello', [mail('a+b', 'x.test')]],
  ['v=TLSRPTv1; rua=ftp://x.test/,mailto:a@x.test,mailto:a@x.test', [mail('a', 'x.test')]],
  // None of these can be used; the domain still has a record.
  ['v=TLSRPTv1; rua=mailto:', []],
  ['v=TLSRPTv1; rua=mailto:nobody', []],
  ['v=TLSRPTv1; rua=mailto:%FF@x.test', []],
  ['v=TLSRPTv1; rua=http://x.test/', []],
  ['v=TLSRPTv1; rua=https://user:secret@x.test/', []],
  ['v=TLSRPTv1; rua=/etc/passwd', []],
] as const)('%s', (record, places) => {
  expect(tlsReportPlaces([record])).toEqual(places);
  expect(tlsReportPlaces(['v=spf1 -all', record, 'v=TLSRPTv2; rua=mailto:b@x.test'])).toEqual(places);
});

test.each([
  ['nothing', []],
  ['something else', ['v=spf1 -all']],
  ['two', ['v=TLSRPTv1; rua=mailto:a@x.test', 'v=TLSRPTv1; rua=mailto:a@x.test']],
  ['another case', ['V=tlsrptV1; rua=mailto:a@x.test']],
  ['another version', ['v=TLSRPTv11; rua=mailto:a@x.test']],
  ['no rua', ['v=TLSRPTv1; ruf=mailto:a@x.test']],
  ['only the version', ['v=TLSRPTv1;']],
  ['something that is no field', ['v=TLSRPTv1; mailto:a@x.test; rua=mailto:a@x.test']],
] as const)('no record: %s', (_, records) => {
  expect(tlsReportPlaces(records)).toBeNull();
});

test('four places, and no more', () => {
  const uris = Array.from({ length: 50 }, (_, at) => `mailto:r${at}@x.test`);
  expect(tlsReportPlaces([`v=TLSRPTv1; rua=${uris.join(',')}`])).toHaveLength(4);
});
