import { splitAddresses } from '../split-addresses.ts';
import type { Table } from '../strict-shape.ts';
import { type AskedMail, mailOf, type Vendor } from '../strict-vendor.ts';

const FILE: Table = { 'name!': 'filled', 'type!': 'filled', 'data!': 'base64' };
// https://developers.sparkpost.com/api/transmissions/ and https://developers.sparkpost.com/api/recipient-lists/#header-recipient-object,
// read 2026-11-30
const RECIPIENT: Table = {
  'address!': { 'email!': 'filled', name: 'filled', header_to: 'filled' },
  return_path: 'filled',
  tags: ['filled'],
  metadata: 'json',
  substitution_data: 'json',
};
const INLINE: Table = {
  'from!': { 'email!': 'filled', name: 'filled' },
  'subject!': 'text',
  html: 'filled',
  text: 'text',
  reply_to: 'filled',
  headers: 'texts',
  attachments: [FILE],
  inline_images: [FILE],
};
const STORED: Table = { 'template_id!': 'filled', use_draft_template: 'boolean' };
const transmission = (content: Table): Table => ({
  options: {
    start_time: 'filled',
    open_tracking: 'boolean',
    click_tracking: 'boolean',
    transactional: 'boolean',
    sandbox: 'boolean',
    skip_suppression: 'boolean',
    ip_pool: 'filled',
    inline_css: 'boolean',
    perform_substitutions: 'boolean',
  },
  'recipients!': [RECIPIENT],
  'content!': content,
  campaign_id: 'filled',
  description: 'filled',
  metadata: 'json',
  substitution_data: 'json',
  return_path: 'filled',
});

interface Transmission {
  readonly recipients: { readonly address: { readonly email: string; readonly header_to?: string } }[];
  readonly options?: { readonly perform_substitutions?: boolean };
  readonly content: {
    readonly from?: { readonly email: string; readonly name?: string };
    readonly subject?: string;
    readonly text?: string;
    readonly html?: string;
    readonly reply_to?: string;
    readonly headers?: Record<string, string>;
    readonly attachments?: File[];
    readonly inline_images?: File[];
  };
}
interface File {
  readonly name: string;
  readonly type: string;
  readonly data: string;
}

/** Whose To is the same are those of one mail. */
function mailsOf({ recipients, content, options }: Transmission): readonly AskedMail[] {
  // What no variable is known for is nothing.
  const rendered = (text: string): string =>
    options?.perform_substitutions === false ? text : text.replaceAll(/\{\{.*?\}\}/gs, '');
  const { from = { email: 'template@example.com' }, attachments = [], inline_images: images = [] } = content;
  const { Cc = '', ...headers } = content.headers ?? {};
  const shown = new Map<string, string[]>();
  for (const { address } of recipients) {
    const to = address.header_to ?? address.email;
    shown.set(to, [...(shown.get(to) ?? []), address.email]);
  }
  const file = ({ name, type, data }: File) => ({ mimetype: type, content: Buffer.from(data, 'base64'), name });
  return [...shown].map(([to, addresses]) =>
    mailOf(addresses, {
      fromEmail: from.name === undefined ? from.email : { name: from.name, address: from.email },
      to: splitAddresses(to),
      cc: splitAddresses(Cc),
      replyTo: splitAddresses(content.reply_to ?? ''),
      subject: rendered(content.subject ?? ''),
      body: rendered(content.text ?? ''),
      htmlBody: content.html === undefined ? null : rendered(content.html),
      headers,
      attachments: [
        ...attachments.map(file).map(({ name, ...rest }) => ({ ...rest, filename: name })),
        // They have no names of their own there.
        ...images.map(file).map(({ name, ...rest }) => ({ ...rest, contentId: name, filename: `${name}.png` })),
      ],
    }),
  );
}

/** SparkPost, where mails have a stored template, or not. */
export function sparkpostWith(content: 'texts' | 'template'): Vendor {
  return {
    isKnown: ({ authorization }) => authorization === '0123456789abcdef0123456789abcdef01234567',
    fault: (status, message) => ({
      status: status === 400 ? 422 : status,
      body: { errors: [{ message, code: status === 403 ? '1100' : '1300' }] },
    }),
    endpoints: {
      '/transmissions': {
        shape: transmission(content === 'texts' ? INLINE : STORED),
        mails: (body: Transmission) => [mailsOf(body)],
        answer: ([refused], [id], [asked]) => {
          if (refused)
            return {
              status: 400,
              body: { errors: [{ message: 'At least one valid recipient is required', code: '5002' }] },
            };
          const total_accepted_recipients = (asked ?? []).flatMap(({ recipients }) => recipients).length;
          return { body: { results: { total_rejected_recipients: 0, total_accepted_recipients, id } } };
        },
      },
    },
  };
}

/** SparkPost. */
export const sparkpost: Vendor = sparkpostWith('texts');
