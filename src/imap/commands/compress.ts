// COMPRESS (RFC 4978): from its completion on, both sides deflate what they say.

import { bad, ok } from '../completion.ts';
import { command, LOGGED_IN } from './command.ts';

/** compress = "COMPRESS" SP algorithm; algorithm = "DEFLATE" */
export const compress = command({
  name: 'COMPRESS',
  states: LOGGED_IN,
  grammar(scanner) {
    scanner.space();
    return scanner.atom('an algorithm').toUpperCase();
  },
  run(session, algorithm) {
    // RFC 4978 §3: both are BAD; NO is for what another layer compresses.
    if (algorithm !== 'DEFLATE') throw bad('That algorithm is not known here');
    if (session.standing.compressed) throw bad('Compression is on already', 'COMPRESSIONACTIVE');
    session.afterwards('deflate');
    return ok('Deflate from here on');
  },
});
