// The log: pino, with the one line that most records need: which hop of RFC 5598 this is.

import type { Logger } from 'pino';

export type Log = Logger;

/** The hops of RFC 5598 §2 as this log names them. */
export type Hop = 'MUA→MSA' | 'MSA→MTA' | 'MTA→MTA' | 'MTA→MDA' | 'MS→MUA';
