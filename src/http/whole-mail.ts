import type { Carries } from './provider.ts';

/** What a provider carries that takes whole mails, as a server does: all that is in a mail, and nothing beside it. */
export const WHOLE_MAIL: Carries = {
  tags: false,
  metadata: false,
  trackOpens: false,
  trackClicks: false,
  priority: true,
  idempotencyKey: false,
  templateId: false,
  mergeData: false,
  mergeGlobalData: false,
  dsn: false,
  requireTls: false,
  nonAsciiLocalPart: false,
  envelopeSender: false,
  sendAt: false,
  alternatives: true,
  inlineAttachments: true,
  severalReplyTo: true,
};
