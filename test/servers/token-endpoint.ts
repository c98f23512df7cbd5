import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '../../src/smtp-server/certificate.ts';

/** What a request asked for: the fields of its form. */
export type TokenForm = Readonly<Record<string, string>>;

/** An answer: an object is JSON with the status 200; a function writes what it likes, or nothing. */
export type TokenAnswer = object | ((response: ServerResponse, form: TokenForm) => void);

/** A token endpoint on loopback, which keeps what it was asked. */
export class TokenEndpoint implements AsyncDisposable {
  /** Every request, oldest first. */
  readonly forms: TokenForm[] = [];
  readonly url: string;
  readonly #server: Server;
  #answers: readonly TokenAnswer[] = [];

  private constructor(server: Server, scheme: string) {
    const { port } = server.address() as AddressInfo; // it listens on a TCP port
    this.url = `${scheme}://localhost:${port}/token`;
    this.#server = server;
    server.on('request', async (request, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const form = Object.fromEntries(new URLSearchParams(text));
      const answer = this.#answers[Math.min(this.forms.push(form), this.#answers.length) - 1];
      if (typeof answer === 'function') answer(response, form);
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }

  /** Starts one. */
  static async start(...answers: readonly TokenAnswer[]): Promise<TokenEndpoint> {
    return TokenEndpoint.#listen(createServer(), 'http', answers);
  }

  /** Starts one over TLS. */
  static async startSecure(certificate: Certificate, ...answers: readonly TokenAnswer[]): Promise<TokenEndpoint> {
    return TokenEndpoint.#listen(createSecureServer(certificate), 'https', answers);
  }

  static async #listen(server: Server, scheme: string, answers: readonly TokenAnswer[]): Promise<TokenEndpoint> {
    server.listen(0, 'localhost');
    await once(server, 'listening');
    const endpoint = new TokenEndpoint(server, scheme);
    endpoint.answer(...answers);
    return endpoint;
  }

  /** What the requests from now on are answered, in turn; the last one again and again. */
  answer(...answers: readonly TokenAnswer[]): void {
    this.forms.length = 0;
    this.#answers = answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** A token as an endpoint gives it. */
export function grant(accessToken: string, more: object = {}): object {
  return { access_token: accessToken, token_type: 'Bearer', expires_in: 3600, ...more };
}

/** A refusal as an endpoint says it (RFC 6749, section 5.2). */
export function refuse(
  status: number,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): TokenAnswer {
  return (response) => response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
}
