// What the sender of a queued message has asked for, in words for `queue show`: by parameters of MAIL and RCPT, and by
// `TLS-Required: No`.

import type { MailParameters, RcptParameters } from '../formats/envelope.ts';
import { instant } from './columns.ts';

/** One phrase a wish. @param now ms since the epoch */
export function wishes(mail: MailParameters, rcpt: RcptParameters, now: number): readonly string[] {
  const { holdUntil, deliverBy, priority, requiretls, tlsOptional, ret, envid } = mail;
  return [
    ...(holdUntil === undefined
      ? []
      : [`to be held until ${instant(holdUntil)}${holdUntil > now ? '' : ', which is over'}`]),
    ...(deliverBy === undefined ? [] : [timeText(deliverBy)]),
    ...(priority === undefined ? [] : [`priority ${priority} (MT-PRIORITY)`]),
    ...(requiretls === true ? ['TLS on the whole way (REQUIRETLS)'] : []),
    ...(tlsOptional === true ? ['delivery before TLS (TLS-Required: No)'] : []),
    ...notifyText(rcpt),
    ...(ret === undefined ? [] : [`${ret === 'FULL' ? 'all of it' : 'its header'} back with a report (RET)`]),
    ...(envid === undefined ? [] : [`reports by the name ${envid} (ENVID)`]),
  ];
}

function timeText({ at, mode, trace }: NonNullable<MailParameters['deliverBy']>): string {
  const otherwise = mode === 'R' ? 'or come back' : 'or have the delay told';
  return `to be there by ${instant(at)}, ${otherwise}${trace ? ', each hop told of' : ''} (DELIVERBY)`;
}

function notifyText({ notify }: RcptParameters): readonly string[] {
  if (notify === undefined) return [];
  return [notify === 'never' ? 'no reports (NOTIFY)' : `reports of ${notify.join(', ')} (NOTIFY)`];
}
