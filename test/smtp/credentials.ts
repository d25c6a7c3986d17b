// Credentials as the client takes them, from plain values.

import type { Credentials } from '../../src/smtp/client/authentication.ts';

export function credentialsOf(user: string, password: string, mechanism: string | null = null): Credentials {
  return { user, mechanism, secret: async () => ({ kind: 'password', text: password }) };
}

export function tokenOf(user: string, token: string): Credentials {
  return { user, mechanism: null, secret: async () => ({ kind: 'token', text: token }) };
}
