import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SendError } from '../../model/errors.ts';
import { reasonOf } from '../../util/reason.ts';
import { readPageFiles } from '../page-files.ts';
import { PreviewError } from '../previews.ts';
import { errorReply, notFound, type Reply, send } from './reply.ts';
import { ownHosts, pathOf, refusal } from './request-guard.ts';
import { BadRequest, type Router, TooLarge } from './router.ts';

/** Serves the page and the API. */
export class WebServer {
  readonly #server: Server;
  readonly #router: Router;
  readonly #allowedHosts: readonly string[];
  readonly #files: ReadonlyMap<string, Reply> = readPageFiles();
  #hosts: ReadonlySet<string> = new Set();

  constructor(router: Router, allowedHosts: readonly string[]) {
    this.#router = router;
    this.#allowedHosts = allowedHosts;
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  /** The port it listens on; 0 until it does. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#hosts = ownHosts(host, this.port, this.#allowedHosts);
        resolve();
      });
    });
  }

  /** Lets the process exit while it listens. */
  unref(): void {
    this.#server.unref();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const reply = await this.#reply(request, response);
      if (reply !== null) send(response, reply);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else send(response, errorOf(error));
    }
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<Reply | null> {
    const fault = refusal(request, this.#hosts);
    if (fault !== null) return errorReply(403, 'forbidden', fault);
    const file = this.#files.get(pathOf(request));
    if (file !== undefined) return file;
    const reply = await this.#router.run(request, response);
    return reply === undefined ? notFound('page') : reply;
  }
}

function errorOf(error: unknown): Reply {
  if (error instanceof TooLarge || (error instanceof SendError && error.code === 'too-large')) {
    return errorReply(413, 'too-large', error.message);
  }
  if (error instanceof BadRequest) return errorReply(400, 'bad-request', error.message);
  if (error instanceof PreviewError) return errorReply(422, 'preview-failed', error.message);
  return errorReply(500, 'internal', reasonOf(error));
}
