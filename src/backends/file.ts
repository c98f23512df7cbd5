import { BACKEND_OPTIONS, type BackendOptions } from '../backend/backend.ts';
import { askToCommit } from '../backend/commit.ts';
import {
  type DeliveryResult,
  endedBefore,
  failedDelivery,
  type Job,
  sameForAll,
  whileReading,
} from '../backend/job.ts';
import { LocalBackend } from '../backend/local-backend.ts';
import { type DkimKey, type DkimOptions, readDkimKeys } from '../mime/compose/dkim-keys.ts';
import { DKIM_OPTION } from '../mime/compose/dkim-option.ts';
import { generateMessageId } from '../mime/compose/message-id.ts';
import { type Composer, composer } from '../mime/composer.ts';
import { ConfigurationError, EmailError, SendError } from '../model/errors.ts';
import type { Feature } from '../model/features.ts';
import { type EmailMessage, withContentRead } from '../model/message.ts';
import type { AnyOptionTable, OptionTable } from '../options/option-table.ts';
import { refuseInWorkerd } from '../options/refuse-in-workerd.ts';
import { reasonOf } from '../util/reason.ts';

/** Options of {@link FileBackend}. */
export interface FileOptions extends BackendOptions {
  /** The folder, created if it does not exist; default the variable AMSDAL_EMAIL_FILE_PATH. */
  readonly path?: string;
  /** Writes tags and metadata as X-Tag and X-Metadata headers; default false. */
  readonly tagHeaders?: boolean;
  /** Signs every message; several make several signatures. */
  readonly dkim?: DkimOptions | readonly DkimOptions[];
}

// Only the owner may read the mails; an existing folder keeps its mode.
const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;

/**
 * Writes each message to an .eml file, as it would be sent. A file appears complete or not at all, and only its owner may
 * read it (mode 0600, in a folder created with 0700).
 *
 * Names begin with the time, so that they sort by it. A mail that is to be sent later is written at once.
 */
export class FileBackend extends LocalBackend {
  /** What options are checked against, and read from URLs and variables. */
  static readonly optionTable: AnyOptionTable = /* @__PURE__ */ (() =>
    ({
      ...BACKEND_OPTIONS,
      path: {
        type: 'string',
        variable: { name: 'AMSDAL_EMAIL_FILE_PATH', example: './mails' },
        urlPart: 'path',
      },
      tagHeaders: { type: 'boolean' },
      dkim: DKIM_OPTION,
    }) satisfies OptionTable<FileOptions>)();

  static override readonly delivers: boolean = false;
  static override readonly about: string = 'writes mails into a folder and sends none';

  readonly name = 'file';
  protected readonly features: ReadonlySet<Feature>;
  readonly #folder: string;
  readonly #tagHeaders: boolean;
  readonly #dkim: readonly DkimKey[];

  /** @throws {ConfigurationError} `missing-option` without a path, `invalid-key` for a bad DKIM key. */
  constructor(options: FileOptions = {}) {
    super(options);
    refuseInWorkerd('invalid-backend', 'the file backend cannot be used', 'no file outlives its request');
    if (!options.path) {
      throw new ConfigurationError(
        'missing-option',
        'the file backend needs a folder: give the option path, or set AMSDAL_EMAIL_FILE_PATH',
        { option: 'path' },
      );
    }
    this.#folder = options.path;
    const { tagHeaders = false, dkim } = options;
    this.#tagHeaders = tagHeaders;
    this.#dkim = dkim ? readDkimKeys(dkim) : [];
    const features: Feature[] = ['priority', 'nonAsciiLocalPart', 'envelopeSender', 'sendAt'];
    this.features = new Set(tagHeaders ? [...features, 'tags', 'metadata'] : features);
  }

  /** Like `deliverNow`, without blocking the thread: the disk may be slow. */
  protected override async deliverOne(job: Job): Promise<DeliveryResult> {
    const { message, signal } = job;
    const messageId = message.messageId ?? generateMessageId(message);
    const { mkdir, rename, rm, writeFile } = process.getBuiltinModule('node:fs').promises;
    const names = this.#names(messageId);
    let isTemporary = false;
    try {
      const read = await whileReading(withContentRead(message, signal), signal);
      const source = this.#compose(await whileReading(composer.load(), signal), read, messageId);
      isTemporary = true;
      await mkdir(this.#folder, { recursive: true, mode: OWNER_FOLDER });
      await writeFile(names.temporary, source, { flag: 'wx', mode: OWNER_FILE, ...(signal && { signal }) });
      const withheld = await askToCommit(job);
      if (withheld !== null) return withheld;
      await rename(names.temporary, names.final);
      isTemporary = false;
    } catch (error) {
      const reason = signal?.aborted ? endedBefore('the file was written', signal) : writeError(names.final, error);
      return failedDelivery(job, reason);
    } finally {
      const removed = isTemporary ? rm(names.temporary, { force: true }).catch(() => {}) : null;
      if (!signal?.aborted) await removed; // a call that was ended waits for an answer a moment only, and this one is certain
    }
    return written(job, messageId, names.final);
  }

  protected override deliverSync(jobs: readonly Job[]): readonly DeliveryResult[] {
    composer.loadNow(); // what makes it fail is no fault of a mail's
    return super.deliverSync(jobs);
  }

  protected override deliverNow(job: Job, messageId: string): DeliveryResult {
    const { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } = process.getBuiltinModule('node:fs');
    const names = this.#names(messageId);
    try {
      const source = this.#compose(composer.loadNow(), job.message, messageId);
      mkdirSync(this.#folder, { recursive: true, mode: OWNER_FOLDER });
      writeFileSync(names.temporary, source, { flag: 'wx', mode: OWNER_FILE });
      renameSync(names.temporary, names.final);
    } catch (error) {
      // The error is about the folder; removing a file that is not there would hide it.
      if (existsSync(names.temporary)) rmSync(names.temporary);
      return failedDelivery(job, writeError(names.final, error));
    }
    return written(job, messageId, names.final);
  }

  /** The mail as in a mailbox: an envelope sender is in Return-Path (RFC 5321, section 4.4). */
  #compose({ composeMessage, dkimSigner }: Composer, message: EmailMessage, messageId: string): Uint8Array {
    const dkim = this.#dkim.length > 0 && { dkim: dkimSigner(this.#dkim) };
    const mail = composeMessage(message, { tagHeaders: this.#tagHeaders, ...dkim, messageId, allow8bit: true });
    if (message.envelopeSender === null) return mail;
    const sender = message.parsed.envelopeSender?.asciiAddress ?? '';
    return Buffer.concat([Buffer.from(`Return-Path: <${sender}>\r\n`), mail]);
  }

  #names(messageId: string): { readonly temporary: string; readonly final: string } {
    const { join } = process.getBuiltinModule('node:path');
    const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
    const name = `${time}-${messageId
      .replaceAll(/[^A-Za-z0-9@._-]/g, '_')
      .replaceAll('..', '__')
      .slice(0, 100)}-${crypto.randomUUID().slice(0, 8)}`;
    return { temporary: join(this.#folder, `.${name}.tmp`), final: join(this.#folder, `${name}.eml`) };
  }
}

function written({ index, message }: Job, messageId: string, path: string): DeliveryResult {
  return {
    index,
    messageId,
    recipients: sameForAll(message, 'sent', { messageId, response: path }),
    espResponse: path,
  };
}

function writeError(path: string, cause: unknown): EmailError {
  if (cause instanceof EmailError) return cause;
  const reason = reasonOf(cause);
  return new SendError('provider', `${path} could not be written: ${reason}`, { phase: 'content', cause });
}
