/** A mailbox or group as Nodemailer has parsed it. */
export interface ParsedAddress {
  readonly name: string;
  readonly address?: string;
  readonly group?: readonly ParsedAddress[];
}

/** A content in any of Nodemailer's forms. */
export interface ContentPart {
  readonly content?: unknown;
  readonly encoding?: unknown;
  readonly path?: unknown;
  readonly href?: unknown;
  readonly raw?: unknown;
  readonly headers?: object;
  readonly contentType?: string;
  readonly filename?: string | false;
  /** Whether no file name was wanted: Nodemailer makes one up as it reads the content. */
  readonly isNameless?: boolean;
  readonly cid?: string;
  readonly contentDisposition?: string;
  readonly method?: string;
}

/** Delivery status notifications, under all names that Nodemailer takes. */
export interface DsnParameters {
  readonly ret?: string;
  readonly return?: string;
  readonly envid?: string;
  readonly id?: string;
  readonly notify?: string | readonly string[];
  readonly recipient?: string;
  readonly orcpt?: string;
}

/** The fields of a mail that are read here, as they are once Nodemailer has normalized them. */
export interface MailData {
  readonly from?: ParsedAddress | null;
  readonly sender?: ParsedAddress | null;
  readonly to?: readonly ParsedAddress[] | null;
  readonly cc?: readonly ParsedAddress[] | null;
  readonly replyTo?: readonly ParsedAddress[] | null;
  readonly text?: unknown;
  readonly html?: unknown;
  readonly attachDataUrls?: unknown;
  readonly watchHtml?: unknown;
  readonly amp?: unknown;
  readonly icalEvent?: unknown;
  readonly alternatives?: readonly ContentPart[];
  readonly attachments?: readonly ContentPart[];
  readonly headers?: unknown;
  readonly normalizedHeaders?: Readonly<Record<string, string>>;
  readonly list?: object;
  readonly otp?: unknown;
  readonly xMailer?: string | false;
  readonly priority?: unknown;
  readonly envelope?: { readonly dsn?: DsnParameters; readonly requireTLSExtensionEnabled?: boolean };
  readonly dsn?: DsnParameters;
  readonly requireTLSExtensionEnabled?: boolean;
  readonly disableFileAccess?: boolean;
  readonly disableUrlAccess?: boolean;
  readonly signal?: AbortSignal;
  readonly raw?: unknown;
  readonly auth?: unknown;
  readonly ses?: unknown;
  readonly dkim?: unknown;
}

/** What of a mail that Nodemailer hands to a transport is used; `data` and `message` are its own. */
export interface NodemailerMail {
  /** The fields of the mail. */
  readonly data: object;
  /** What Nodemailer compiled: its envelope, Message-ID and headers count, its body does not. */
  readonly message: {
    /** The envelope, as given or from the headers. */
    getEnvelope(): { readonly from: string | false; readonly to: string[] };
    /** The Message-ID in brackets. */
    messageId(): string;
    /** The first header of a name. */
    getHeader(name: string): unknown;
    /** Every address of the headers by their names in lower case. */
    getAddresses(): object;
  } | null;
  /** Reads every content, by Nodemailer's own rules. */
  normalize(callback: (error: Error | null, data?: object) => void): void;
}

/** The message Nodemailer compiled; a transport is never given a mail without one. */
export type CompiledMail = NonNullable<NodemailerMail['message']>;

/** Every content of a mail with its path. */
export function partsOf(data: MailData): readonly (readonly [path: string, part: ContentPart])[] {
  const single = (['text', 'html', 'watchHtml', 'amp', 'icalEvent'] as const).map(
    (name) => [name, data[name]] as const,
  );
  const several = (['alternatives', 'attachments'] as const).flatMap((name) =>
    (data[name] ?? []).map((part, index) => [`${name}[${index}]`, part] as const),
  );
  return [...single, ...several].flatMap(([path, part]) =>
    typeof part === 'object' && part !== null ? [[path, part] as const] : [],
  );
}
