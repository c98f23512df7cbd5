import { whileReading } from '../../delivery.ts';
import { type Addressee, addresseesOf, chunksOf, destinationOf, headerForm, MAX_RECIPIENTS } from './addresses.ts';
import { rawContent, templateContent } from './content.ts';
import type { Courier } from './courier.ts';
import { inDoubt } from './failure.ts';
import { type Content, emailRequest, type RequestParts } from './request.ts';
import { httpStatusOf, type Tally } from './tally.ts';

/** Sends one message as it is to all its recipients, in requests of up to 50. */
export async function sendWhole(
  parts: RequestParts,
  courier: Courier,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { message } = parts;
  const isTemplate = message.templateId !== null || message.mergeGlobalData !== null;
  const write = isTemplate ? headerForm : ({ asciiAddress }: { readonly asciiAddress: string }) => asciiAddress;
  const content = once(() => whileReading(contentOf(parts, isTemplate), signal));
  const send = async (addressees: readonly Addressee[]) => {
    const input = async () => emailRequest(parts, destinationOf(addressees, write), await content());
    const answer = await courier.run({ operation: 'SendEmail', addressees, input, signal });
    if ('failure' in answer) {
      tally.failed(addressees, answer.failure);
      return;
    }
    const { output, ticket } = answer;
    tally.answered(output);
    courier.observe(ticket, addressees.length, false);
    const messageId = 'MessageId' in output ? output.MessageId : null;
    if (typeof messageId === 'string' && messageId !== '') tally.sent(addressees, messageId, httpStatusOf(output));
    else tally.failed(addressees, inDoubt('uncertain', 'it answered without a MessageId'));
  };
  await Promise.all(chunksOf(addresseesOf(message), MAX_RECIPIENTS).map(send));
}

async function contentOf({ message, options }: RequestParts, isTemplate: boolean): Promise<Content> {
  if (isTemplate) return { Template: await templateContent(message, options.tagHeaders === true) };
  return { Raw: { Data: await rawContent(message, options) } };
}

/** Makes the content when the first request is made, whatever their number. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
