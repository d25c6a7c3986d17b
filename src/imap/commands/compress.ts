// COMPRESS (RFC 4978): from its completion on, both sides deflate what they say.

import { no, ok } from '../completion.ts';
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
    if (algorithm !== 'DEFLATE') throw no('That algorithm is not known here', 'CANNOT');
    // RFC 4978 §3: a second layer would cost, and save nothing.
    if (session.standing.compressed) throw no('Compression is on already', 'COMPRESSIONACTIVE');
    session.afterwards('deflate');
    return ok('Deflate from here on');
  },
});
