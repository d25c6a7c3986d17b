// The mechanisms that say the secret itself, fit for TLS only: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), and
// XOAUTH2, by which large providers take a bearer token (RFC 6750) where others have OAUTHBEARER (RFC 7628).

import { type ClientMechanism, ExchangeFailure } from './mechanism.ts';

/** message = [authzid] UTF8NUL authcid UTF8NUL passwd (RFC 4616 §2) */
export const plain: ClientMechanism = {
  name: 'PLAIN',
  secret: 'password',
  binds: false,
  start: ({ user, secret }) => ({
    initial: Buffer.from(`\0${user}\0${secret.text}`),
    respond: () => surplus(),
    complete: true,
  }),
};

/** Two challenges, whose texts are not looked at: they differ from server to server. */
export const login: ClientMechanism = {
  name: 'LOGIN',
  secret: 'password',
  binds: false,
  start({ user, secret }) {
    const answers = [user, secret.text];
    return {
      initial: null,
      respond: () => Buffer.from(answers.shift() ?? surplus()),
      get complete() {
        return answers.length === 0;
      },
    };
  },
};

/** initial = "user=" user %x01 "auth=Bearer " token %x01 %x01 */
export const xoauth2: ClientMechanism = {
  name: 'XOAUTH2',
  secret: 'token',
  binds: false,
  start({ user, secret }) {
    let told = false;
    return {
      initial: Buffer.from(`user=${user}\x01auth=Bearer ${secret.text}\x01\x01`),
      respond() {
        // What is wrong comes as a challenge; the server says no once it has an empty answer to that.
        if (told) surplus();
        told = true;
        return Buffer.alloc(0);
      },
      get complete() {
        return !told;
      },
    };
  },
};

function surplus(): never {
  throw new ExchangeFailure('the server asks for more than the mechanism has');
}
