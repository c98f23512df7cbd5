import { errorClass } from './error-class.ts';
import { factsOf, setFacts } from './error-facts.ts';
import type { SendStatus } from './status.ts';

/** Where in the life of a message an error arose; the SMTP phases are named after the command that was under way. */
export type ErrorPhase =
  | 'configuration'
  | 'message'
  | 'hook'
  | 'queue'
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'tls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'final'
  | 'reset'
  | 'quit'
  | 'request';

/**
 * What is certain about the message, or all messages of the call: `not-sent`, no server has taken it; `unknown`, a server has or
 * may have taken it, so sending it again may deliver it twice (RFC 5321, section 4.5.3.2.6; RFC 1047).
 */
export type Outcome = 'not-sent' | 'unknown';

/** Codes of {@link ConfigurationError}. */
export type ConfigurationErrorCode =
  | 'invalid-option'
  | 'unknown-option'
  | 'conflicting-options'
  | 'missing-option'
  | 'unknown-backend'
  | 'invalid-backend'
  | 'load-failed'
  | 'invalid-listener'
  | 'invalid-contrib'
  | 'missing-dependency'
  | 'invalid-credentials'
  | 'invalid-key'
  | 'not-blocking';

/** Codes of {@link MessageError}. */
export type MessageErrorCode = 'invalid-message' | 'unsupported-feature';

/** Codes of {@link EmailConnectionError}. */
export type ConnectionErrorCode =
  | 'dns'
  | 'refused'
  | 'unreachable'
  | 'timeout'
  | 'closed'
  | 'greeting'
  | 'protocol'
  | 'tls'
  | 'certificate'
  | 'starttls-unavailable'
  | 'auth'
  | 'auth-unavailable'
  | 'insecure-auth'
  | 'aborted'
  | 'connection';

/** Codes of {@link SendError}. */
export type SendErrorCode =
  | 'rejected'
  | 'invalid-recipient'
  | 'temporary'
  | 'too-large'
  | 'smtputf8-unavailable'
  | 'requiretls-unavailable'
  | 'dsn-unavailable'
  | 'eight-bit-unavailable'
  | 'account'
  | 'throttled'
  | 'quota'
  | 'template'
  | 'cancelled'
  | 'listener'
  | 'source'
  | 'aborted'
  | 'timeout'
  | 'closed'
  | 'uncertain'
  | 'duplicate'
  | 'several'
  | 'provider';

/** Every code an {@link EmailError} can carry. */
export type ErrorCode = ConfigurationErrorCode | MessageErrorCode | ConnectionErrorCode | SendErrorCode;

/** The server's answer that caused an error, as received; secrets are replaced by `***`. */
export interface ServerReply {
  /** The SMTP reply code, or the HTTP status. */
  readonly code: number;
  /** The enhanced status code, such as `5.1.1` (RFC 3463), or null. */
  readonly enhancedCode: string | null;
  /** The text without its codes; lines are separated by line feeds. */
  readonly text: string;
}

/** The facts an {@link EmailError} is made of besides its code and message. */
export interface EmailErrorOptions {
  /** Default: the phase of the class. */
  readonly phase?: ErrorPhase;
  /** Default: false. */
  readonly retryable?: boolean;
  /** Default: `not-sent`. */
  readonly outcome?: Outcome;
  /** The server's answer, secrets replaced. */
  readonly reply?: ServerReply;
  /** The dialogue up to the error, secrets replaced. */
  readonly transcript?: readonly string[];
  /** How long the provider asks to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The underlying error. */
  readonly cause?: unknown;
}

/**
 * The base of everything this library throws on purpose; decide by class and `code`, never by the text.
 *
 * `retryable` is true only when trying again later may help and the message is certainly not sent.
 *
 * `instanceof` holds across copies of this package. An uncaught error is printed with its stack and `code`, the only own
 * property; the others are accessors, of which `console.log` shows the most important.
 */
export class EmailError extends Error {
  /** `instanceof` holds across copies of this package. */
  static override readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ errorClass(
    EmailError,
    'EmailError',
  );

  /** What went wrong, as a literal to switch on. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, phase: ErrorPhase, options: EmailErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    setFacts(this, {
      phase: options.phase ?? phase,
      retryable: options.retryable ?? false,
      outcome: options.outcome ?? 'not-sent',
      reply: options.reply ?? null,
      transcript: options.transcript ?? null,
      retryAfterMs: options.retryAfterMs ?? null,
      status: null,
    });
  }

  /** Where it went wrong. */
  get phase(): ErrorPhase {
    return factsOf(this).phase;
  }

  /** Whether a later try may succeed and cannot send the message twice. */
  get retryable(): boolean {
    return factsOf(this).retryable;
  }

  /** What is certain about the message; when a call throws it, about all its messages: `unknown` when any was or may have been sent. */
  get outcome(): Outcome {
    return factsOf(this).outcome;
  }

  /** The server's answer, when one caused the error. */
  get reply(): ServerReply | null {
    return factsOf(this).reply;
  }

  /** The redacted dialogue with the server up to the error, newest last, when there was one. */
  get transcript(): readonly string[] | null {
    return factsOf(this).transcript;
  }

  /** How long the provider asks to wait before the next try, in milliseconds; null when it asks for nothing. */
  get retryAfterMs(): number | null {
    return factsOf(this).retryAfterMs ?? null;
  }

  /** What is known about every recipient of the call that threw; null when the error arose before there were recipients. */
  get status(): SendStatus | null {
    return factsOf(this).status;
  }
}

/** The facts a {@link ConfigurationError} is made of besides its code and message. */
export interface ConfigurationErrorOptions extends EmailErrorOptions {
  /** The option at fault. */
  readonly option?: string | null;
  /** Further options, which it contradicts or which require it. */
  readonly otherOptions?: readonly string[];
  /** The variable at fault. */
  readonly variable?: string | null;
}

/** A mistake in options, environment or installation, found before anything reached the network; `failSilently` never hides it. */
export class ConfigurationError extends EmailError {
  /** `instanceof` holds across copies of this package. */
  static override readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ errorClass(
    ConfigurationError,
    'ConfigurationError',
  );
  declare readonly code: ConfigurationErrorCode;

  constructor(code: ConfigurationErrorCode, message: string, options: ConfigurationErrorOptions = {}) {
    super(code, message, 'configuration', options);
    const { option = null, otherOptions = [], variable = null } = options;
    setFacts(this, { ...factsOf(this), option, otherOptions, variable });
  }

  /** The option that is wrong or missing, such as `port` or `timeouts.connect`; null when no option is at fault. */
  get option(): string | null {
    return factsOf(this).option ?? null;
  }

  /** Further options, which it contradicts or which require it, in no order. */
  get otherOptions(): readonly string[] {
    return factsOf(this).otherOptions ?? [];
  }

  /** The variable at fault, such as `AMSDAL_EMAIL_PORT`; null when the fault is in code. */
  get variable(): string | null {
    return factsOf(this).variable ?? null;
  }
}

/** One fault of a message: the field's path (`to[1]`, `attachments[0].filename`), a code, and what to change. */
export interface MessageIssue {
  /** The field, such as `to[1]`. */
  readonly path: string;
  /** The kind of fault, to decide by. */
  readonly code: MessageIssueCode;
  /** What to change. */
  readonly message: string;
}

/** Codes of a {@link MessageIssue}. */
export type MessageIssueCode =
  | 'required'
  | 'type'
  | 'unknown-field'
  | 'control-character'
  | 'address'
  | 'header-name'
  | 'reserved-header'
  | 'content-type'
  | 'filename'
  | 'duplicate'
  | 'too-long'
  | 'too-many'
  | 'range'
  | 'unsupported';

/** A message cannot be sent as it is; `issues` lists every fault found, and nothing was sent. */
export class MessageError extends EmailError {
  /** `instanceof` holds across copies of this package. */
  static override readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ errorClass(
    MessageError,
    'MessageError',
  );
  declare readonly code: MessageErrorCode;

  constructor(issues: readonly MessageIssue[], options?: EmailErrorOptions & { readonly code?: MessageErrorCode }) {
    super(options?.code ?? 'invalid-message', describeIssues(issues), 'message', options);
    setFacts(this, { ...factsOf(this), issues });
  }

  /** Every fault found, in the order of the fields. */
  get issues(): readonly MessageIssue[] {
    return factsOf(this).issues ?? [];
  }
}

/** What to change for features where removing them is not the only way. */
const ADVICE: Readonly<Record<string, string>> = {
  sendAt: 'send it when the time has come, or choose a backend that can',
};

/** A message needs what the chosen backend cannot do and must not drop, such as `templateId` over SMTP. */
export class UnsupportedFeatureError extends MessageError {
  /** `instanceof` holds across copies of this package. */
  static override readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ errorClass(
    UnsupportedFeatureError,
    'UnsupportedFeatureError',
  );

  /** @param options The facts of the error, and `advice`: what to change, instead of removing it or choosing another backend. */
  constructor(
    features: readonly string[],
    backend: string,
    options: EmailErrorOptions & { readonly advice?: string } = {},
  ) {
    const { advice } = options;
    super(
      features.map((feature) => ({
        path: feature,
        code: 'unsupported',
        message: `the ${backend} backend cannot carry it: ${advice ?? ADVICE[feature] ?? 'remove it or choose a backend that does'}`,
      })),
      { ...options, code: 'unsupported-feature' },
    );
    setFacts(this, { ...factsOf(this), features });
  }

  /** The features that are missing, by their field names. */
  get features(): readonly string[] {
    return factsOf(this).features ?? [];
  }
}

/** The server was not reached, is not trusted, or refused the login; nothing was sent. */
export class EmailConnectionError extends EmailError {
  /** `instanceof` holds across copies of this package. */
  static override readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ errorClass(
    EmailConnectionError,
    'EmailConnectionError',
  );
  declare readonly code: ConnectionErrorCode;

  constructor(code: ConnectionErrorCode, message: string, options?: EmailErrorOptions) {
    super(code, message, 'connect', options);
  }
}

/** The provider refused the message, or its outcome is unknown; `status` has what is known about each recipient. */
export class SendError extends EmailError {
  /** `instanceof` holds across copies of this package. */
  static override readonly [Symbol.hasInstance]: (value: unknown) => boolean = /* @__PURE__ */ errorClass(
    SendError,
    'SendError',
  );
  declare readonly code: SendErrorCode;

  constructor(code: SendErrorCode, message: string, options?: EmailErrorOptions) {
    super(code, message, 'final', options);
  }
}

function describeIssues(issues: readonly MessageIssue[]): string {
  const lines = issues.map((issue) => `${issue.path}: ${issue.message}`);
  return lines.length === 1 ? String(lines[0]) : `the message has ${lines.length} faults:\n- ${lines.join('\n- ')}`;
}
