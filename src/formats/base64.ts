// Base64 (RFC 4648 §4) as protocols send it in one line, padded, with nothing beside it; and as MIME has it, in many.

/** Undefined for what is no base64: it is not read around. */
export function decodeBase64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64');
  return octets.toString('base64') === text ? octets : undefined;
}

/** As the lines of a body, without their ends (RFC 2045 §6.8). */
export function base64Lines(octets: Buffer): readonly string[] {
  return octets.toString('base64').match(/.{1,76}/g) ?? [];
}
