import { readAddresses } from '../../mime/read/addresses.ts';
import { decodeWords } from '../../mime/read/decode-words.ts';
import { headerValue } from '../../mime/read/headers.ts';
import { MailContent } from '../../mime/read/mail-content.ts';
import type { EmailMessageInit, EspExtra, MergeData } from '../../model/message-init.ts';

/** Headers that a message has a field for. */
const FIELDS: Readonly<Record<string, (value: string) => Partial<EmailMessageInit>>> = {
  'reply-to': (value) => ({ replyTo: value }),
  'message-id': (value) => ({ messageId: value }),
  'in-reply-to': (value) => ({ inReplyTo: value }),
  references: (value) => ({ references: value }),
};
/** Headers that vendors write themselves. */
const WRITTEN = /^(?:from|sender|to|cc|bcc|subject|date|return-path|mime-version|dkim-signature|content-.*|resent-.*)$/;

/** What headers of a request say of a mail, and those that the vendor would not take over, which are shown beside it. */
export function headerFields(headers: readonly (readonly [name: string, value: string])[]): {
  readonly init: Partial<EmailMessageInit>;
  readonly left: Readonly<Record<string, string>>;
} {
  const custom: [string, string][] = [];
  const left: [string, string][] = [];
  let init: Partial<EmailMessageInit> = {};
  for (const [name, written] of headers) {
    const value = decodeWords(written);
    const field = FIELDS[name.toLowerCase()];
    if (field !== undefined) init = { ...init, ...field(value) };
    else if (WRITTEN.test(name.toLowerCase())) left.push([name, value]);
    else custom.push([name, value]);
  }
  return { init: { ...init, headers: Object.fromEntries(custom) }, left: Object.fromEntries(left) };
}

/** What a request says that no field of a message does, under the vendor's name. */
export function extraOf(vendor: string, fields: Readonly<Record<string, unknown>>): { readonly espExtra?: EspExtra } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && !isEmpty(value));
  return given.length === 0 ? {} : { espExtra: { [vendor]: Object.fromEntries(given) } };
}

/** A template and its variables; variables without a template are shown all the same. */
export function templateOf(
  id: string | number | undefined,
  variables: MergeData | undefined,
): Pick<EmailMessageInit, 'templateId' | 'mergeGlobalData'> {
  return {
    templateId: id === undefined ? null : String(id),
    mergeGlobalData: variables === undefined || isEmpty(variables) ? null : variables,
  };
}

/** A text in which each variable stands where its placeholder was. */
export function filled(
  text: string,
  values: Readonly<Record<string, unknown>>,
  placeholder: (name: string) => string,
): string {
  return Object.entries(values).reduce(
    (made, [name, value]) => made.replaceAll(placeholder(name), () => String(value)),
    text,
  );
}

/** The address in the header From of a mail's source; '' when there is none. */
export function senderOf(source: Uint8Array): string {
  const header = headerValue(new MailContent(source).tree.root.headers, 'from') ?? '';
  return readAddresses(header)[0]?.address ?? '';
}

/** The addresses in the headers To, Cc and Bcc of a mail's source. */
export function recipientsOf(source: Uint8Array): readonly string[] {
  const { headers } = new MailContent(source).tree.root;
  return ['to', 'cc', 'bcc'].flatMap((name) =>
    readAddresses(headerValue(headers, name) ?? '').map(({ address }) => address),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
