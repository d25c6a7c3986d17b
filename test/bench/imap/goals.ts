// What Postern has to reach over IMAP, for 10,000 messages, against a Dovecot with maildir in the same run.

import type { Goal } from '../figures.ts';

const ms = (work: string, title: string, kind: Goal['kind'], bound: number, value = 'ms'): Goal => ({
  work,
  value,
  title,
  unit: 'ms',
  kind,
  bound,
});

export const imapGoals: readonly Goal[] = [
  ms('metadata', 'FETCH of all metadata, first time and caches dropped', 'part', 0.1, 'coldMs'),
  ms('metadata', 'the same, warm', 'part', 0.667, 'warmMs'),
  { work: 'bodies', value: 'megabytesPerSecond', title: 'all bodies', unit: 'MB/s', kind: 'times', bound: 1 },
  ms('select', 'SELECT, caches dropped', 'most', 10, 'coldMs'),
  ms('select', 'SELECT, warm', 'most', 1, 'warmMs'),
  ms('store', 'STORE 1:* +FLAGS.SILENT', 'most', 60),
  ms('search-SUBJECT', 'SEARCH SUBJECT', 'part', 1),
  ms('search-FROM', 'SEARCH FROM', 'part', 1),
  ms('search-BODY', 'SEARCH BODY', 'part', 0.02),
  ms('search-TEXT', 'SEARCH TEXT', 'part', 0.02),
  ms('sort', 'SORT by subject and by date', 'part', 1),
  ms('thread', 'THREAD REFERENCES', 'part', 1),
  ms('copy', 'COPY 1:*', 'most', 60),
  ms('expunge', 'EXPUNGE of all', 'most', 150),
  { work: 'append', value: 'perSecond', title: 'APPEND one by one', unit: '/s', kind: 'times', bound: 2 },
  { work: 'multiappend', value: 'perSecond', title: 'MULTIAPPEND of 100', unit: '/s', kind: 'times', bound: 3 },
  {
    work: 'login',
    value: 'perSecond',
    title: 'login with TLS, a connection each',
    unit: '/s',
    kind: 'times',
    bound: 3,
  },
  ms('clients', '50 clients: SELECT, metadata of all, 100 bodies each', 'part', 1),
];
