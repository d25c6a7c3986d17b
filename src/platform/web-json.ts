// One question over HTTPS whose answer is a JSON object, to a host that the operator has named: its certificate is
// checked, no redirect is followed, time and size are bounded, and nothing is kept open.

import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import type { Clock } from './clock.ts';

/** ms from the question to the end of the answer. */
const TIMEOUT = 10_000;

export interface WebQuestion {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** What a POST sends, as a form does. */
  readonly form?: Readonly<Record<string, string>>;
  readonly authorization?: string;
  readonly secureContext: SecureContext;
  readonly clock: Clock;
  /** Octets of the answer. */
  readonly max: number;
}

/** There is no answer, or none that can be used. The text is for the log, and holds nothing of what was sent or came. */
export class WebFailure extends Error {
  override readonly name = 'WebFailure';
}

/** @throws WebFailure */
export async function webJson(question: WebQuestion): Promise<Readonly<Record<string, unknown>>> {
  const { url, clock, max } = question;
  const { host } = new URL(url);
  const patience = new AbortController();
  const cancel = clock.after(TIMEOUT, () => patience.abort());
  try {
    const response = await ask(question, patience.signal);
    if (response.statusCode !== 200) {
      response.destroy();
      throw new WebFailure(`${host} answers ${response.statusCode}`);
    }
    const value: unknown = JSON.parse(await textOf(response, host, max));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new WebFailure(`${host} answers with no JSON object`);
    }
    return value as Record<string, unknown>; // an object of JSON
  } catch (error) {
    if (error instanceof WebFailure) throw error;
    if (error instanceof SyntaxError) throw new WebFailure(`${host} answers with no JSON`);
    const { code, message } = error as NodeJS.ErrnoException; // what sockets, TLS and HTTP throw
    throw new WebFailure(patience.signal.aborted ? `${host} does not answer in time` : `${host}: ${code ?? message}`);
  } finally {
    cancel();
  }
}

async function ask({ url, method, form, authorization, secureContext }: WebQuestion, signal: AbortSignal) {
  // Loaded at the first question: most servers ask none.
  const { request } = await import('node:https');
  const body = form === undefined ? undefined : new URLSearchParams(form).toString();
  // The typings of node:https do not know that it hands a context on to TLS.
  const options: RequestOptions & Pick<ConnectionOptions, 'secureContext'> = {
    method,
    signal,
    secureContext,
    agent: false,
    headers: {
      Accept: 'application/json',
      ...(authorization === undefined ? {} : { Authorization: authorization }),
      ...(body === undefined
        ? {}
        : { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) }),
    },
  };
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, options).once('response', resolve);
    // Also behind the answer, where nobody waits for it any more.
    asked.on('error', reject);
    asked.end(body);
  });
}

async function textOf(response: IncomingMessage, host: string, max: number): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  // No encoding is set, so that chunks are buffers.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > max) throw new WebFailure(`${host} answers with over ${max} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, octets).toString('utf8');
}
