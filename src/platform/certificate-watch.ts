// The certificates of a server that runs for years: read again once a day, so that one that was renewed is in force by the
// next day without a signal, the local authority renews its own in time, and one that nobody has renewed is warned of.

import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { TlsKeeper } from './tls.ts';

/** ms from one look to the next. */
const EVERY = 86_400_000;

/** Looks until it is disposed of. What cannot be used is logged, and changes nothing. */
export function watchCertificates(keeper: Pick<TlsKeeper, 'reload'>, clock: Clock, log: Log): AsyncDisposable {
  let looking = Promise.resolve();
  let cancel: () => void = () => undefined;
  const wait = () => {
    cancel = clock.after(EVERY, () => {
      wait();
      looking = keeper.reload().catch((err: unknown) => log.error({ err }, 'the certificates cannot be read again'));
    });
  };
  wait();
  return {
    async [Symbol.asyncDispose]() {
      cancel();
      await looking;
    },
  };
}
