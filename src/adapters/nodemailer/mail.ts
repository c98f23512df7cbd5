/** A mailbox or group as Nodemailer parses it. */
export interface ParsedAddress {
  readonly name: string;
  readonly address?: string;
  readonly group?: readonly ParsedAddress[];
}

/** Content in any of Nodemailer's forms. */
export interface ContentPart {
  readonly content?: unknown;
  readonly encoding?: unknown;
  readonly path?: unknown;
  readonly href?: unknown;
  readonly raw?: unknown;
  readonly headers?: object;
  readonly contentType?: string;
  readonly filename?: string | false;
  /** Whether the caller wanted no file name: Nodemailer invents one when it reads the content. */
  readonly isNameless?: boolean;
  readonly cid?: string;
  readonly contentDisposition?: string;
  readonly method?: string;
}

/** The parameters of delivery status notifications, under all names that Nodemailer accepts. */
export interface DsnParameters {
  readonly ret?: string;
  readonly return?: string;
  readonly envid?: string;
  readonly id?: string;
  readonly notify?: string | readonly string[];
  readonly recipient?: string;
  readonly orcpt?: string;
}

/** The fields of a mail that are read here, after Nodemailer has normalized them. */
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

/** The part of Nodemailer's mail object, which a transport gets, that is used. */
export interface NodemailerMail {
  /** The fields of the mail. */
  readonly data: object;
  /** The message that Nodemailer compiled, used for its envelope, Message-ID and headers, not for its body. */
  readonly message: {
    /** The envelope, given or taken from the headers. */
    getEnvelope(): { readonly from: string | false; readonly to: string[] };
    /** The Message-ID in brackets. */
    messageId(): string;
    /** The first header of a name. */
    getHeader(name: string): unknown;
    /** The addresses in the headers, by lower-case header name. */
    getAddresses(): object;
  } | null;
  /** Reads all contents, by Nodemailer's own rules. */
  normalize(callback: (error: Error | null, data?: object) => void): void;
}

/** The message that Nodemailer compiled, which a mail has whenever it reaches a transport. */
export type CompiledMail = NonNullable<NodemailerMail['message']>;

/** The contents of a mail, with their paths. */
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
