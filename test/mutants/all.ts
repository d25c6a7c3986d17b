// Every mutant that there is.

import { agentMutants } from './agents.ts';
import { imapMutants } from './imap.ts';
import { loginMutants } from './logins.ts';
import type { Mutant } from './mutant.ts';
import { pop3Mutants } from './pop3.ts';
import { queueMutants } from './queue.ts';
import { rev2Mutants } from './rev2.ts';
import { searchMutants } from './search.ts';
import { securityMutants } from './security.ts';
import { sharingMutants } from './sharing.ts';
import { smtpMutants } from './smtp.ts';
import { storeMutants } from './store.ts';
import { tlsReportMutants } from './tls-reports.ts';
import { trustMutants } from './trust.ts';
import { viewMutants } from './view.ts';

export const MUTANTS: readonly Mutant[] = [
  ...storeMutants,
  ...smtpMutants,
  ...agentMutants,
  ...queueMutants,
  ...securityMutants,
  ...trustMutants,
  ...tlsReportMutants,
  ...imapMutants,
  ...rev2Mutants,
  ...loginMutants,
  ...sharingMutants,
  ...viewMutants,
  ...searchMutants,
  ...pop3Mutants,
];
