// A source: what one peer can hold many addresses of. An IPv4 address, or the /64 that a customer is given of IPv6.

import { isIPv4, isIPv6 } from 'node:net';

/** The source that an IP address belongs to, as a key. Text that is no address is its own source. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const bare = address.split('%', 1)[0] ?? '';
  if (!isIPv6(bare)) return address;
  const [head = '', tail] = bare.toLowerCase().split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  // RFC 4291 §2.2: `::` stands for as many zero groups as are missing, and a trailing IPv4 address for two groups.
  if (tail !== undefined) {
    const after = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    const missing = 8 - groups.length - after;
    groups.push(...Array<string>(missing).fill('0'), ...(after > 0 ? tail.split(':') : []));
  }
  const prefix = groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${prefix.join(':')}::/64`;
}
