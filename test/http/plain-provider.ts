import type { Refusal } from '../../src/http/failure.ts';
import { HttpBackend } from '../../src/http/http-backend.ts';
import { HTTP_OPTIONS, type HttpOptions, keyOption } from '../../src/http/options.ts';
import { peopleOf } from '../../src/http/payload.ts';
import type { Built, Carries, Provider, Verdict } from '../../src/http/provider.ts';
import type { EmailMessage } from '../../src/model/message.ts';

export interface PlainOptions extends HttpOptions {
  readonly apiKey?: string;
  /** How long keys are remembered. */
  readonly keyMs?: number;
  readonly batchOf?: number;
}

/** A provider that takes the little that tests of the room need. */
export class PlainProvider extends HttpBackend<PlainOptions> {
  static readonly optionTable = {
    ...HTTP_OPTIONS,
    apiKey: keyOption('a key', /./, { name: 'PLAIN_KEY', example: 'key' }),
    keyMs: { type: 'integer', min: 1 } as const,
    batchOf: { type: 'integer', min: 1 } as const,
  };
  static override readonly required: readonly string[] = [];
  static override readonly carries: Carries = {
    tags: false,
    metadata: true,
    trackOpens: false,
    trackClicks: false,
    priority: true,
    idempotencyKey: true,
    templateId: true,
    mergeData: true,
    mergeGlobalData: true,
    dsn: false,
    requireTls: false,
    nonAsciiLocalPart: false,
    envelopeSender: false,
    sendAt: false,
    alternatives: false,
    inlineAttachments: false,
    severalReplyTo: false,
  };

  readonly name = 'plain';
  protected override readonly idempotencyMs: number | null;

  constructor(options: PlainOptions = {}) {
    super(options);
    this.idempotencyMs = options.keyMs ?? null;
  }

  protected async load({ apiKey = 'the-secret-key', batchOf }: PlainOptions): Promise<Provider> {
    return {
      baseUrl: 'https://plain.invalid',
      authorization: { authorization: `Bearer ${apiKey}` },
      fixed: new Set(['to']),
      ...(batchOf !== undefined && {
        batch: {
          max: batchOf,
          maxSize: 10_000,
          around: () => ['[', ']'],
          parse: ({ body }) => (body as readonly unknown[]).map(verdictOf),
        },
      }),
      check: {
        path: '/me',
        read: ({ status, body }) => (status < 300 && body !== undefined ? { ...(body as object) } : null),
      },
      build,
      parse: ({ body }) => verdictOf(body),
      refusal: ({ body, text }) => {
        const { code, message = text } = (body ?? {}) as { readonly code?: Refusal['code']; readonly message?: string };
        return { text: message, ...(code && { code }) };
      },
    };
  }
}

function build(message: EmailMessage, key: string | null): Built {
  const { to, cc, bcc } = peopleOf(message);
  const isLong = Object.values(message.metadata).some((value) => value.length > 20);
  return {
    path: '/send',
    headers: key === null ? {} : { 'idempotency-key': key },
    body: {
      to: [...to, ...cc, ...bcc].map(({ asciiAddress }) => asciiAddress),
      subject: message.subject,
      data: message.mergeGlobalData ?? undefined,
      options: { track: true, color: 'red' },
    },
    ...(isLong && { ignored: { metadata: 'plain takes 20 characters' } }),
    ...(message.subject !== 'alone' && { batch: '/send-all' }),
  };
}

function verdictOf(answer: unknown): Verdict {
  const { id, refused, error, code } = answer as {
    readonly id?: string;
    readonly refused?: string[];
    readonly error?: string;
    readonly code?: Refusal['code'];
  };
  if (error !== undefined) return { text: error, ...(code && { code }), part: answer };
  if (id === undefined) return null;
  return { messageId: id, statusOf: ({ address }) => (refused?.includes(address) ? 'rejected' : undefined) };
}
