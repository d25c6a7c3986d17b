// SASL LOGIN (draft-murchison-sasl-login §2.1): obsolete, but what some clients speak when they could speak PLAIN. Two
// challenges, whose texts clients are told to ignore.

import { decodeText, type Exchange, type Mechanism, refused, type Step } from './mechanism.ts';

export const login: Mechanism = { name: 'LOGIN', offered: () => true, start };

function start(): Exchange {
  let asked = false;
  let username: string | undefined;
  return {
    step(response: Uint8Array | null): Step {
      if (response === null) {
        if (asked || username !== undefined) return refused('LOGIN: no response');
        asked = true;
        return challenge('Username:');
      }
      const text = decodeText(response);
      // An initial response, which the draft does not know, is the name: clients do that.
      if (username === undefined) {
        if (text === undefined) return refused('LOGIN: name empty or unusable');
        username = text;
        return challenge('Password:');
      }
      if (text === undefined) return refused('LOGIN: password empty or unusable');
      return { kind: 'claim', claim: { kind: 'password', mechanism: 'LOGIN', username, password: text } };
    },
  };
}

function challenge(text: string): Step {
  return { kind: 'challenge', challenge: Buffer.from(text) };
}
