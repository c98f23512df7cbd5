import { BACKEND_OPTIONS, type BackendOptions } from '../backend/backend.ts';
import { type DeliveryResult, type Job, sameForAll, whileReading } from '../backend/job.ts';
import { LocalBackend } from '../backend/local-backend.ts';
import { composer } from '../mime/composer.ts';
import { ALL_FEATURES, type Feature } from '../model/features.ts';
import type { EmailMessage } from '../model/message.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';

/** Options of {@link ConsoleBackend}. */
export interface ConsoleOptions extends BackendOptions {
  /** Where to print; default standard output. */
  readonly stream?: { write(text: string): unknown };
  /** Prints the source of the message, as it would be sent, instead of a readable form; default false. */
  readonly raw?: boolean;
}

/** Prints messages instead of sending them; for development. */
export class ConsoleBackend extends LocalBackend {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...BACKEND_OPTIONS,
      stream: {
        type: 'custom',
        expected: 'a stream to write to',
        check: (value) =>
          typeof value === 'object' && value !== null && 'write' in value && typeof value.write === 'function',
      },
      raw: { type: 'boolean' },
    }) satisfies OptionTable<ConsoleOptions>)();

  static override readonly delivers: boolean = false;
  static override readonly about: string = 'prints mails and sends none';

  readonly name = 'console';
  protected readonly features: ReadonlySet<Feature> = ALL_FEATURES;
  /** True for `raw`: only the source contains it. */
  protected override readonly readsContent: boolean;
  readonly #stream: { write(text: string): unknown };

  constructor(options: ConsoleOptions = {}) {
    super(options);
    this.#stream = options.stream ?? process.stdout;
    this.readsContent = options.raw ?? false;
  }

  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    if (this.readsContent) await whileReading(composer.load(), job.signal);
    return super.deliverOne(job);
  }

  protected override deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    if (this.readsContent) composer.loadNow(); // what makes it fail is no fault of a mail's
    return super.deliverSync(jobs);
  }

  protected override deliverNow({ index, message }: Job, messageId: string): DeliveryResult {
    const text = this.readsContent
      ? new TextDecoder().decode(composer.loadNow().composeMessage(message, { messageId }))
      : describe(message, messageId);
    this.#stream.write(`${RULE}\n${text}\n${RULE}\n`);
    return { index, messageId, recipients: sameForAll(message, 'sent', { messageId }) };
  }
}

const RULE = '-'.repeat(72);

function describe(message: EmailMessage, messageId: string): string {
  const sections = [headerLines(message, messageId).join('\n')];
  if (message.body !== '') sections.push(message.body);
  if (message.htmlBody !== null) sections.push(`[HTML]\n${message.htmlBody}`);
  for (const { mimetype, content } of message.alternatives) sections.push(`[${mimetype}]\n${content}`);
  const attachments = message.attachments.map(({ filename, mimetype, content, contentId }) => {
    const place = contentId === null ? '' : `, inline as cid:${contentId}`;
    return `- ${filename ?? '(no name)'} (${mimetype}, ${sizeOf(content)}${place})`;
  });
  if (attachments.length > 0) sections.push(`[Attachments]\n${attachments.join('\n')}`);
  return sections.join('\n\n');
}

function headerLines(message: EmailMessage, messageId: string): readonly string[] {
  const fields: readonly (readonly [string, string | null | undefined])[] = [
    ['Subject', message.subject],
    ['From', message.fromEmail],
    ['To', message.to.join(', ')],
    ['Cc', message.cc.join(', ')],
    ['Bcc', message.bcc.join(', ')],
    ['Reply-To', message.replyTo.join(', ')],
    ['Envelope-From', message.envelopeSender === '' ? '<>' : message.envelopeSender],
    ['Message-ID', `<${messageId}>`],
    ['Date', (message.date ?? new Date()).toUTCString()],
    ...Object.entries(message.headers),
    ['Tags', message.tags.join(', ')],
    ['Metadata', json(message.metadata)],
    ['Template', message.templateId],
    ['Merge-Data', message.mergeData && json(message.mergeData)],
    ['Merge-Global-Data', message.mergeGlobalData && json(message.mergeGlobalData)],
    ['Send-At', message.sendAt?.toUTCString()],
    ['Idempotency-Key', message.idempotencyKey],
    ['Esp-Extra', message.espExtra && json(message.espExtra)],
  ];
  return fields.filter(([name, value]) => value || name === 'Subject').map(([name, value]) => `${name}: ${value}`);
}

function json(value: object): string {
  return Object.keys(value).length === 0 ? '' : JSON.stringify(value);
}

function sizeOf(content: EmailMessage['attachments'][number]['content']): string {
  if (typeof content === 'string') return `${new TextEncoder().encode(content).length} bytes`;
  if (content instanceof Uint8Array) return `${content.length} bytes`;
  return typeof content === 'object' && 'size' in content ? `${content.size} bytes` : 'a stream';
}
