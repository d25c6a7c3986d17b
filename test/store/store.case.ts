// The conformance suite of the Message Store: what every engine behind the interface must do. A second engine calls it
// with a harness of its own.

import { acceptCases } from './cases/accept.case.ts';
import { accountCases } from './cases/accounts.case.ts';
import { annotationCases } from './cases/annotations.case.ts';
import { feedCases } from './cases/feed.case.ts';
import type { Harness } from './cases/harness.ts';
import { mailboxCases } from './cases/mailboxes.case.ts';
import { messageCases } from './cases/messages.case.ts';
import { queueCases } from './cases/queue.case.ts';
import { receiverCases } from './cases/receivers.case.ts';
import { rightCases } from './cases/rights.case.ts';
import { stagingCases } from './cases/staging.case.ts';
import { tlsReportCases } from './cases/tls-reports.case.ts';
import { viewCases } from './cases/views.case.ts';

export function storeCases(harness: Harness): void {
  accountCases(harness);
  mailboxCases(harness);
  annotationCases(harness);
  acceptCases(harness);
  messageCases(harness);
  feedCases(harness);
  viewCases(harness);
  queueCases(harness);
  receiverCases(harness);
  tlsReportCases(harness);
  rightCases(harness);
  stagingCases(harness);
}
