import type { Mailbox } from './address.ts';
import { type EmailMessage, mailboxesOf } from './message.ts';

/** Features without which a mail may still be sent: left out and listed in `results[i].ignored`, or an error with `onUnsupported: 'error'`. */
export type AdvisoryFeature = 'tags' | 'metadata' | 'trackOpens' | 'trackClicks' | 'priority' | 'idempotencyKey';

/** Features without which a mail must not be sent: a backend that lacks one refuses the message before connecting. */
export type EssentialFeature =
  | 'templateId'
  | 'mergeData'
  | 'mergeGlobalData'
  | 'dsn'
  | 'requireTls'
  | 'nonAsciiLocalPart'
  | 'envelopeSender'
  | 'sendAt';

/** What a message may ask of a backend beyond plain delivery; each backend declares what it can do. */
export type Feature = AdvisoryFeature | EssentialFeature;

/** Why features were ignored, where the backend as such could carry them: `{ trackOpens: 'needs ...' }`. */
export type IgnoredReasons = { readonly [F in Feature]?: string };

/** All of {@link AdvisoryFeature}. */
export const ADVISORY: ReadonlySet<Feature> = new Set<Feature>([
  'tags',
  'metadata',
  'trackOpens',
  'trackClicks',
  'priority',
  'idempotencyKey',
]);

/** Every feature, for backends that accept everything. */
export const ALL_FEATURES: ReadonlySet<Feature> = new Set<Feature>([
  'tags',
  'metadata',
  'trackOpens',
  'trackClicks',
  'priority',
  'idempotencyKey',
  'templateId',
  'mergeData',
  'mergeGlobalData',
  'dsn',
  'requireTls',
  'nonAsciiLocalPart',
  'envelopeSender',
  'sendAt',
]);

const NONE: readonly never[] = /* @__PURE__ */ Object.freeze([]);

/** The features a message uses and a backend lacks, by kind. */
export interface MissingFeatures {
  readonly advisory: readonly Feature[];
  readonly essential: readonly Feature[];
}

/** A message that uses nothing that is missing. */
export const NOTHING_MISSING: MissingFeatures = /* @__PURE__ */ Object.freeze({ advisory: NONE, essential: NONE });

/** Compares what a message uses with what a backend can do. */
export function findMissingFeatures(message: EmailMessage, supported: ReadonlySet<Feature>): MissingFeatures {
  const used = usedFeatures(message);
  if (used.length === 0) return NOTHING_MISSING;
  const missing = used.filter((feature) => !supported.has(feature));
  if (missing.length === 0) return NOTHING_MISSING;
  return {
    advisory: missing.filter((feature) => ADVISORY.has(feature)),
    essential: missing.filter((feature) => !ADVISORY.has(feature)),
  };
}

function usedFeatures(message: EmailMessage): readonly Feature[] {
  const used: Feature[] = [];
  if (message.tags.length > 0) used.push('tags');
  for (const _ in message.metadata) {
    used.push('metadata');
    break;
  }
  if (message.trackOpens) used.push('trackOpens');
  if (message.trackClicks) used.push('trackClicks');
  if (message.priority !== null) used.push('priority');
  if (message.templateId !== null) used.push('templateId');
  if (message.mergeData !== null) used.push('mergeData');
  if (message.mergeGlobalData !== null) used.push('mergeGlobalData');
  if (message.dsn !== null) used.push('dsn');
  if (message.requireTls) used.push('requireTls');
  if (message.envelopeSender !== null) used.push('envelopeSender');
  if (isScheduled(message)) used.push('sendAt');
  if (message.idempotencyKey !== null) used.push('idempotencyKey');
  if (hasNonAsciiLocalPart(message)) used.push('nonAsciiLocalPart');
  return used;
}

/** Whether it is to be sent later: a time that has passed means now. */
export function isScheduled({ sendAt }: EmailMessage): boolean {
  return sendAt !== null && sendAt.getTime() > Date.now();
}

/** Whether an address of the envelope or header has a local part that only SMTPUTF8 can carry (RFC 6531). */
export function hasNonAsciiLocalPart({ parsed, recipients }: EmailMessage): boolean {
  const { from, envelopeSender, replyTo } = parsed;
  if (!from.isAscii || envelopeSender?.isAscii === false) return true;
  return !recipients.every(isAscii) || (replyTo.length > 0 && !mailboxesOf(replyTo).every(isAscii));
}

function isAscii(mailbox: Mailbox): boolean {
  return mailbox.isAscii;
}
