// Where a connection comes from, as limits count it: an IPv4 address, or an IPv6 /64, since one subscriber has a whole
// /64 to choose from (RFC 6177 §2). Text in, text out; no state.

import { BlockList, isIP, SocketAddress } from 'node:net';

/** Loopback: RFC 1122 §3.2.1.3 (g), RFC 4291 §2.5.3. */
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** What is never a host of the public net: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 §2.5.6, RFC 1122 §3.2.1.3;
 * multicast and what is reserved, too. */
const privateUse = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  privateUse.addSubnet(net, prefix, 'ipv4');
}
for (const [net, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  privateUse.addSubnet(net, prefix, 'ipv6');
}

/** An address as the operating system gives it, without a scope (`%eth0`) and with IPv4-mapped IPv6 as IPv4. */
export function plainAddress(address: string): string {
  const scope = address.indexOf('%');
  const bare = scope < 0 ? address : address.slice(0, scope);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  return mapped?.[1] ?? bare;
}

/** The source that an address counts for: itself, or the IPv4 address in it, or its IPv6 /64 as `2001:db8:1:2::/64`. Text
 * that is no address stands for itself. */
export function sourceOf(address: string): string {
  const bare = plainAddress(address);
  if (isIP(bare) !== 6) return bare;
  const groups = expand(bare);
  // RFC 6052 §2.1, 64:ff9b::/96: all of IPv4, where a translator stands in front of the server.
  if (groups.slice(0, 6).join() === NAT64) return dottedQuad(groups.slice(6));
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0].join();

function dottedQuad(groups: readonly number[]): string {
  return groups.flatMap((group) => [group >> 8, group & 255]).join('.');
}

export function isLoopback(address: string): boolean {
  return contains(loopback, address);
}

/** True for loopback too, and for the unspecified address. */
export function isPrivate(address: string): boolean {
  return contains(privateUse, address);
}

function contains(list: BlockList, address: string): boolean {
  const bare = plainAddress(address);
  const family = isIP(bare);
  return family !== 0 && list.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}

/** The eight groups of an IPv6 address. */
function expand(address: string): number[] {
  const [head = '', tail] = new SocketAddress({ address, family: 'ipv6' }).address.split('::');
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** Groups in hexadecimal; a dotted quad at the end is two of them. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
