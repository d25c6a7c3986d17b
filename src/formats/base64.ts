// Base64 (RFC 4648 §4) as protocols send it in one line: padded, with nothing beside it.

/** Undefined for what is no base64: it is not read around. */
export function decodeBase64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64');
  return octets.toString('base64') === text ? octets : undefined;
}
