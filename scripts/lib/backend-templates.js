// @ts-check

/**
 * The names of a new backend: `acme-mail`, `AcmeMail`, `ACME_MAIL` and, in prose, `Acme Mail`.
 *
 * @typedef {{ readonly name: string, readonly stem: string, readonly prefix: string, readonly title: string }} BackendNames
 */

/** The backend itself: it sends whole mails, and requires the address of the API until it has one of its own. @type {(names: BackendNames) => string} */
export const backendFile = ({ name, stem, prefix, title }) => `\
import { BACKEND_OPTIONS, type BackendOptions, EmailBackend } from '../backend/backend.ts';
import { type DeliveryResult, failedDelivery, type Job, sameForAll, stopCode, whileReading } from '../backend/job.ts';
import { ConfigurationError, EmailConnectionError, type EmailError, SendError } from '../model/errors.ts';
import type { Feature } from '../model/features.ts';
import { NETWORK_CODES, systemCode } from '../net/network-code.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import { reasonOf } from '../util/reason.ts';

/** Options of {@link ${stem}Backend}. */
export interface ${stem}Options extends BackendOptions {
  /** Default: ${prefix}_API_KEY. */
  readonly apiKey?: string;
  /** The address of the API. */
  readonly endpoint?: string;
  /** Used instead of the global \`fetch\`. */
  readonly fetch?: typeof fetch;
}

/** Codes of an error that came before the request left, so that nothing was sent. */
const NOT_REACHED: ReadonlySet<string> = new Set(['dns', 'refused', 'unreachable']);

/** Sends through ${title}, a request for each mail. */
export class ${stem}Backend extends EmailBackend {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = {
    ...BACKEND_OPTIONS,
    apiKey: {
      type: 'string',
      secret: true,
      variable: { name: '${prefix}_API_KEY', example: 'the key' },
      urlPart: 'username',
      part: 'login',
    },
    endpoint: { type: 'string', part: 'address' },
    fetch: { type: 'custom', expected: 'a function', check: (value) => typeof value === 'function' },
  } satisfies OptionTable<${stem}Options>;
  static override readonly about: string = 'sends over HTTPS to ${title}, a request for each mail';

  override readonly name = '${name}';
  protected override readonly features: ReadonlySet<Feature> = new Set<Feature>(['priority']);
  protected override readonly concurrency: number = 10;
  readonly #apiKey: string;
  readonly #endpoint: string;
  readonly #fetch: typeof fetch;

  /** @throws {ConfigurationError} \`missing-option\` without a key, or without the address of the API. */
  constructor(options: ${stem}Options = {}) {
    super(options);
    const { apiKey, endpoint } = options;
    if (!apiKey) throw missing('apiKey', 'give it, or set ${prefix}_API_KEY');
    if (!endpoint) throw missing('endpoint', 'this backend knows no address of the API by itself');
    this.#apiKey = apiKey;
    this.#endpoint = endpoint;
    this.#fetch = options.fetch ?? fetch;
  }

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    const { index, message, signal } = job;
    const { composeMessage } = await import('../mime/compose/compose.ts');
    const mail = composeMessage(await whileReading(message.materialize(), signal), { allow8bit: true });
    const body = JSON.stringify({
      sender: message.parsed.from.asciiAddress,
      recipients: message.recipients.map(({ asciiAddress }) => asciiAddress),
      mail: Buffer.from(mail).toString('base64'),
    });
    let response: Response;
    let answer: { readonly id?: unknown; readonly message?: unknown };
    try {
      response = await this.#fetch(new URL('/mails', this.#endpoint), {
        method: 'POST',
        headers: { authorization: \`Bearer \${this.#apiKey}\`, 'content-type': 'application/json' },
        body,
        signal: signal ?? null,
      });
      answer = JSON.parse(await response.text());
    } catch (error) {
      return failedDelivery(job, unansweredError(error, signal));
    }
    if (!response.ok) {
      const error = refusalError(response.status, String(answer.message ?? ''));
      return failedDelivery(job, error, error.code === 'rejected' ? 'rejected' : undefined);
    }
    const messageId = String(answer.id);
    return { index, messageId, recipients: sameForAll(message, 'queued', { messageId }), espResponse: answer };
  }
}

/** What a request without a response means: a mail that may have arrived is unknown. */
function unansweredError(cause: unknown, signal: AbortSignal | undefined): EmailError {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const code = NETWORK_CODES[systemCode(inner)];
  const reason = reasonOf(inner ?? cause);
  if (code !== undefined && NOT_REACHED.has(code) && !signal?.aborted) {
    return new EmailConnectionError(code, \`${title} was not reached: \${reason}\`, { retryable: true, cause });
  }
  const text = \`it is not known whether ${title} took the mail: \${reason}\`;
  const kind = signal?.aborted ? stopCode(signal) : 'closed';
  return new SendError(kind, text, { phase: 'request', outcome: 'unknown', cause });
}

/** What an error response means, by its HTTP status. */
function refusalError(code: number, text: string): EmailError {
  const facts = { phase: 'request', reply: { code, enhancedCode: null, text } } as const;
  if (code === 401 || code === 403) return new EmailConnectionError('auth', \`${title} refused the key: \${text}\`, facts);
  if (code === 429) return new SendError('throttled', \`${title} asks to wait: \${text}\`, { ...facts, retryable: true });
  if (code < 500) return new SendError('rejected', \`${title} refused the mail: \${code} \${text}\`, facts);
  const problem = \`it is not known whether ${title} took the mail: HTTP \${code}\`;
  return new SendError('uncertain', problem, { ...facts, outcome: 'unknown' });
}

function missing(option: string, advice: string): ConfigurationError {
  return new ConfigurationError('missing-option', \`${name}: \${option} is missing: \${advice}\`, { option });
}
`;

/** Its test: the contract of all backends against a stand-in for the provider, and what is special. @type {(names: BackendNames) => string} */
export const testFile = ({ name, stem, prefix, title }) => `\
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { ${stem}Backend } from '../../src/backends/${name}.ts';
import { getConnection } from '../../src/connection/connection.ts';
import { setEnvironment } from '../../src/options/environment.ts';
import { type ContractFactory, describeBackend } from '../../src/testing/contract/backend-contract.ts';
import type { ContractDelivery } from '../../src/testing/contract/subject.ts';

const MAIL = { subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@example.org' };

/** The backend, and a stand-in for ${title}. */
const subject: ContractFactory = async () => {
  const deliveries: ContractDelivery[] = [];
  const refused = new Set<string>();
  let mood: 'well' | 'broken' | 'silent' | 'rude' = 'well';
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { recipients, mail }: { recipients: string[]; mail: string } = JSON.parse(Buffer.concat(chunks).toString());
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (mood === 'silent') return;
    if (mood === 'broken') answer(429, { message: 'Too many requests' });
    else if (recipients.some((address) => refused.has(address))) answer(422, { message: 'No such user' });
    else {
      deliveries.push({ recipients, source: Buffer.from(mail, 'base64') });
      if (mood === 'rude') request.socket.resetAndDestroy();
      else answer(200, { id: \`\${deliveries.length}\` });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it is TCP
  return {
    backend: new ${stem}Backend({ apiKey: 'key', endpoint: \`http://127.0.0.1:\${port}\` }),
    received: () => deliveries,
    refuse: (address) => void refused.add(address),
    breakDown: () => {
      mood = 'broken';
    },
    stall: () => {
      mood = 'silent';
    },
    loseAnswers: () => {
      mood = 'rude';
    },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

describeBackend('${name}', subject, { describe, it });

describe('what an answer of ${title} means', () => {
  test.each([
    [200, 'queued', null, false],
    [401, 'failed', 'auth', false],
    [422, 'rejected', 'rejected', false],
    [429, 'failed', 'throttled', true],
    [500, 'unknown', 'uncertain', false],
  ])('%i: %s', async (status, outcome, code, retryable) => {
    const connection = new ${stem}Backend({
      apiKey: 'key',
      endpoint: 'https://api.example.com',
      fetch: async () => Response.json({ id: '42', message: 'because' }, { status }),
    });
    const { results } = await connection.sendMessages([MAIL], { failSilently: true });
    const recipient = results[0]?.recipients.get('b@example.org');
    expect(recipient).toMatchObject({ status: outcome, retryable });
    expect(recipient?.error?.code ?? null).toBe(code);
  });
});

test('the key comes from the environment, or from a URL', () => {
  expect(() => getConnection('${name}', { endpoint: 'https://api.example.com' })).toThrow('${prefix}_API_KEY');
  expect(getConnection('${name}://key@?endpoint=https://api.example.com')).toBeInstanceOf(${stem}Backend);
  onTestFinished(setEnvironment({ env: { ${prefix}_API_KEY: 'key' } }));
  expect(getConnection('${name}', { endpoint: 'https://api.example.com' })).toBeInstanceOf(${stem}Backend);
});
`;

/** Its page. @type {(names: BackendNames) => string} */
export const docsPage = ({ name, prefix, title }) => `\
# ${title}

\`\`\`ts
import { getConnection, sendMail } from 'amsdal-mail';

const connection = getConnection('${name}', {
  apiKey: 'key',
  endpoint: 'https://api.example.com',
  fetch: async () => Response.json({ id: '42' }), // for this page only
});

const status = await sendMail({
  connection,
  subject: 'Welcome!',
  message: 'Thanks for signing up.',
  fromEmail: 'noreply@example.com',
  recipientList: ['jane@example.org'],
});
console.log(status.messageId); // 42
console.log(status.recipients.get('jane@example.org')?.status); // queued
\`\`\`

The key is the option \`apiKey\`, the variable \`${prefix}_API_KEY\`, or part of the URL: \`${name}://key@\`.
`;

/** Its line in the changelog. @type {(names: BackendNames) => string} */
export const changeset = ({ name, title }) => `\
---
"amsdal-mail": minor
---

\`getConnection('${name}')\` sends through ${title}.
`;
