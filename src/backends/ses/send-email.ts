import { whileReading } from '../../backend/job.ts';
import type { Mailbox } from '../../model/address.ts';
import { rawContent, templateContent } from './content.ts';
import { inDoubt, type SesFailure } from './failures.ts';
import {
  chunksOf,
  destinationOf,
  type EnvelopeRecipient,
  envelopeRecipients,
  headerForm,
  MAX_RECIPIENTS,
} from './recipients.ts';
import type { SesRequester } from './requester.ts';
import { type Content, emailRequest, type RequestParts } from './requests.ts';
import type { ResultBuilder } from './result-builder.ts';

/** A message, and what sends it. */
export interface SesMail extends RequestParts {
  readonly requester: SesRequester;
  readonly result: ResultBuilder;
  readonly signal: AbortSignal | undefined;
  /** Asks whoever gave it, once, before its first request; undefined when nobody is to be asked. */
  readonly commit: (() => Promise<SesFailure | null>) | undefined;
}

/** Sends one message as it is to all its recipients, in requests of up to 50. */
export async function sendEmail(mail: SesMail): Promise<void> {
  const { message, options, requester, result, signal, commit } = mail;
  const { attempts } = options.retry;
  const isTemplate = message.templateId !== null || message.mergeGlobalData !== null;
  const write = isTemplate ? headerForm : ({ asciiAddress }: Mailbox) => asciiAddress;
  let content: Promise<Content> | null = null; // made for the first request, and the same for all
  const send = async (recipients: readonly EnvelopeRecipient[]) => {
    const input = async () => {
      content ??= whileReading(contentOf(mail, isTemplate), signal);
      return emailRequest(mail, destinationOf(recipients, write), await content);
    };
    const answer = await requester.send({ operation: 'SendEmail', recipients, input, signal, attempts, commit });
    if ('failure' in answer) {
      result.failed(recipients, answer.failure);
      return;
    }
    const { output, grantedAt } = answer;
    requester.accepted(grantedAt, recipients.length);
    result.answered(output);
    const messageId = 'MessageId' in output ? output.MessageId : null;
    if (typeof messageId === 'string' && messageId !== '') result.sent(recipients, messageId, output);
    else result.failed(recipients, inDoubt('uncertain', 'it answered without a MessageId'));
  };
  await Promise.all(chunksOf(envelopeRecipients(message), MAX_RECIPIENTS).map(send));
}

async function contentOf({ message, options, signal }: SesMail, isTemplate: boolean): Promise<Content> {
  if (isTemplate) return { Template: await templateContent(message, options.tagHeaders === true, signal) };
  return { Raw: { Data: await rawContent(message, options, signal) } };
}
