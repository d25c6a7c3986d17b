// Files of certificate authorities that an operator trusts beside the system's: read once, and looked at, so that a wrong
// path stops the start and not the mail.

import { X509Certificate } from 'node:crypto';
import { readBounded } from './bounded-file.ts';

/** Octets of one file: all authorities of a system are a fifth of that. */
const MAX_FILE = 1024 * 1024;

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of the files, in PEM. @param setting that names them @throws Error with a text for people */
export async function readAuthorities(
  files: readonly string[],
  setting: 'relay.ca' | 'oauth.ca' | 'client_ca',
): Promise<readonly string[]> {
  const texts = await Promise.all(
    files.map(async (file) => {
      try {
        return { file, text: (await readBounded(file, MAX_FILE)).toString('latin1') };
      } catch (cause) {
        // What the file system throws.
        const { code } = cause as NodeJS.ErrnoException;
        throw new Error(`the certificate authority ${file} (${setting}) cannot be read (${code})`, { cause });
      }
    }),
  );
  return texts.flatMap(({ file, text }) => {
    const blocks = text.match(BLOCK) ?? [];
    if (blocks.length === 0) throw new Error(`${file} (${setting}) holds no certificate in PEM`);
    for (const block of blocks) {
      try {
        new X509Certificate(block);
      } catch (cause) {
        throw new Error(`${file} (${setting}) holds a certificate that cannot be read`, { cause });
      }
    }
    return blocks;
  });
}
