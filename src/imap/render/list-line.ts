// LIST and LSUB responses (RFC 3501 §7.2.2, §7.2.3): one name and what it is. Pure.

import type { Enabled } from '../enabled.ts';
import { DELIMITER, nameText } from '../grammar/mailbox-name.ts';

/** mailbox-list = "(" [mbx-list-flags] ")" SP DQUOTE QUOTED-CHAR DQUOTE SP mailbox [SP mbox-list-extended] */
export function listLine(
  response: 'LIST' | 'LSUB',
  attributes: readonly string[],
  name: string,
  enabled: Pick<Enabled, 'utf8'>,
): string {
  return `* ${response} (${attributes.join(' ')}) "${DELIMITER}" ${nameText(name, enabled)}`;
}
