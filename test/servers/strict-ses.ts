import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { findLimitFault, findShapeFault, type JsonObject, list, record, strings } from './strict-ses-rules.ts';

/** A request as it arrived. */
export interface SesRequest {
  readonly operation: 'SendEmail' | 'SendBulkEmail' | 'GetAccount';
  readonly body: JsonObject;
  /** Recipients of each mail it asks for. */
  readonly mails: readonly (readonly string[])[];
}

/** A mail that the service has taken. */
export interface AcceptedMail {
  readonly messageId: string;
  /** Bare addresses, in lower case. */
  readonly recipients: readonly string[];
  readonly request: JsonObject;
  /** The mail's entry of a bulk request. */
  readonly entry: JsonObject | null;
  /** The source of a raw mail. */
  readonly raw: Buffer | null;
}

/** What the service does instead of answering as it should. */
export type Fault =
  | { readonly name: string; readonly message?: string; readonly status?: number }
  | { readonly answer: string; readonly status?: number; readonly accepts?: true }
  | { readonly cut: 'reset' | 'hang'; readonly accepts?: true }
  /** Of a bulk request: what becomes of each entry; undefined is success. */
  | { readonly statuses: readonly (string | undefined)[]; readonly error?: string };

const ACCOUNT = {
  EnforcementStatus: 'HEALTHY',
  ProductionAccessEnabled: true,
  SendingEnabled: true,
  SendQuota: { Max24HourSend: 50_000, MaxSendRate: 10_000, SentLast24Hours: 0 },
};

/**
 * A local SES that refuses whatever breaks the published limits, and fails as it is told.
 *
 * It shows that requests keep to what is published, not that the service itself would take them.
 */
export class StrictSes {
  readonly accepted: AcceptedMail[] = [];
  readonly requests: SesRequest[] = [];
  /** Of each request, the header that signs it, and the session token that goes with temporary keys. */
  readonly authorizations: string[] = [];
  readonly tokens: (string | undefined)[] = [];
  /** Decides what happens to a request; undefined: what should. */
  script: (request: SesRequest) => Fault | undefined = () => undefined;
  /** What GetAccount answers; null: AccessDenied. */
  account: JsonObject | null = ACCOUNT;
  /** Connections made so far. */
  connections = 0;
  readonly #server: Server;
  #ids = 0;
  readonly #sockets = new Set<Socket>();
  #bucket: { readonly rate: number; balance: number; since: number } | null = null;
  readonly #waiting: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port = 0): Promise<StrictSes> {
    const server = createServer();
    const ses = new StrictSes(server);
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket) => {
      ses.connections++;
      ses.#sockets.add(socket);
      socket.once('close', () => {
        ses.#sockets.delete(socket);
        if (ses.#sockets.size === 0) for (const resolve of ses.#waiting.splice(0)) resolve();
      });
    });
    server.on('request', (request, response) => void ses.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return ses;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  /** How many times each recipient was sent a mail. */
  get deliveries(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { recipients } of this.accepted)
      for (const recipient of recipients) counts.set(recipient, (counts.get(recipient) ?? 0) + 1);
    return counts;
  }

  /** Resolves when no client is connected. */
  whenDisconnected(): Promise<void> {
    return this.#sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Throttles as SES does: a request may bring the account into debt, and the next ones wait until it is paid. */
  limitTo(recipientsPerSecond: number): void {
    this.#bucket = { rate: recipientsPerSecond, balance: recipientsPerSecond, since: performance.now() };
  }

  reset(): void {
    this.accepted.length = 0;
    this.requests.length = 0;
    this.authorizations.length = 0;
    this.tokens.length = 0;
    this.script = () => undefined;
    this.account = ACCOUNT;
    this.connections = 0;
    this.#bucket = null;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming).catch(() => null);
    if (body === null) return; // the client has hung up
    const request = readRequest(incoming, body.toString());
    this.requests.push(request);
    this.authorizations.push(incoming.headers.authorization ?? '');
    this.tokens.push(incoming.headers['x-amz-security-token']?.toString());
    const scope = /Credential=[^/]+\/\d{8}\/(?:[a-z0-9-]+\/)?ses\/aws4_request/;
    if (!scope.test(incoming.headers.authorization ?? '')) {
      fail(response, { name: 'MissingAuthenticationToken', message: 'Missing Authentication Token', status: 403 });
      return;
    }
    const fault = this.script(request);
    if (request.operation === 'GetAccount' && fault === undefined) {
      if (this.account) answer(response, this.account);
      else
        fail(response, {
          name: 'AccessDeniedException',
          message: 'not authorized to perform: ses:GetAccount',
          status: 403,
        });
      return;
    }
    if (fault !== undefined && 'name' in fault) {
      fail(response, fault);
      return;
    }
    const broken =
      request.operation === 'GetAccount'
        ? null
        : (findShapeFault(request.operation, request.body) ?? findLimitFault(request.body));
    if (broken !== null) {
      fail(response, { name: 'BadRequestException', message: broken, status: 400 });
      return;
    }
    if (request.operation !== 'GetAccount' && !this.#pay(request.mails.flat().length)) {
      fail(response, { name: 'TooManyRequestsException', message: 'Maximum sending rate exceeded.', status: 429 });
      return;
    }
    const outcome = !fault || 'statuses' in fault || fault.accepts ? this.#accept(request, fault) : {};
    if (fault !== undefined && 'cut' in fault) {
      if (fault.cut === 'reset') incoming.socket.resetAndDestroy();
    } else if (fault !== undefined && 'answer' in fault) {
      response.writeHead(fault.status ?? 200, { 'content-type': 'application/json' }).end(fault.answer);
    } else answer(response, outcome);
  }

  #pay(recipients: number): boolean {
    const bucket = this.#bucket;
    if (bucket === null) return true;
    const now = performance.now();
    bucket.balance = Math.min(bucket.rate, bucket.balance + ((now - bucket.since) * bucket.rate) / 1_000);
    bucket.since = now;
    if (bucket.balance <= 0) return false;
    bucket.balance -= recipients;
    return true;
  }

  #accept({ operation, body, mails }: SesRequest, fault: Fault | undefined): JsonObject {
    const statuses = fault && 'statuses' in fault ? fault.statuses : [];
    const entries = list(body['BulkEmailEntries']);
    const results = mails.map((recipients, index) => {
      const status = statuses[index];
      if (status !== undefined) return { Status: status, Error: fault && 'error' in fault ? fault.error : undefined };
      const messageId = `0100${String(++this.#ids).padStart(12, '0')}-000000`;
      const data = record(record(body['Content'])['Raw'])['Data'];
      const raw = typeof data === 'string' ? Buffer.from(data, 'base64') : null;
      const bare = recipients.map((address) => (/<([^<>]+)>$/.exec(address)?.[1] ?? address).toLowerCase());
      this.accepted.push({ messageId, recipients: bare, request: body, entry: entries[index] ?? null, raw });
      return { Status: 'SUCCESS', MessageId: messageId };
    });
    return operation === 'SendEmail' ? { MessageId: results[0]?.MessageId } : { BulkEmailEntryResults: results };
  }
}

function readRequest({ method, url }: IncomingMessage, text: string): SesRequest {
  const body = text === '' ? {} : record(JSON.parse(text));
  if (method === 'GET' && url === '/v2/email/account') return { operation: 'GetAccount', body, mails: [] };
  const recipientsOf = (destination: unknown) => Object.values(record(destination)).flatMap(strings);
  if (url === '/v2/email/outbound-emails')
    return { operation: 'SendEmail', body, mails: [recipientsOf(body['Destination'])] };
  const entries = list(body['BulkEmailEntries']);
  return { operation: 'SendBulkEmail', body, mails: entries.map((entry) => recipientsOf(entry['Destination'])) };
}

function answer(response: ServerResponse, body: JsonObject): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function fail(
  response: ServerResponse,
  { name, message = 'no reason', status = 400 }: Extract<Fault, { name: string }>,
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': name });
  response.end(JSON.stringify({ message }));
}
