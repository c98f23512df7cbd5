import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type AddressObject, simpleParser } from 'mailparser';
import PostalMime, { type Address, decodeWords } from 'postal-mime';

export interface ReadMailbox {
  readonly name: string;
  readonly address: string;
}

/** A mail as somebody else's parser reads it. */
export interface ReadMail {
  readonly subject: string | null;
  readonly from: readonly ReadMailbox[];
  readonly to: readonly ReadMailbox[];
  readonly cc: readonly ReadMailbox[];
  readonly replyTo: readonly ReadMailbox[];
  readonly text: string | null;
  readonly html: string | null;
  readonly attachments: readonly {
    readonly filename: string | null;
    readonly contentId: string | null;
    /** In base64. */
    readonly content: string;
  }[];
}

/** Python's `email`, policy.default: all mails in one process. */
export function readWithPython(mails: readonly Uint8Array[]): readonly (ReadMail & {
  readonly headers: Readonly<Record<string, string>>;
  readonly types: readonly string[];
  /** Texts of the body that are neither plain nor HTML. */
  readonly alternatives: readonly { readonly type: string; readonly content: string }[];
})[] {
  const script = fileURLToPath(new URL('read-mail.py', import.meta.url));
  const { stdout, stderr, status } = spawnSync('/usr/bin/python3', [script], {
    input: JSON.stringify(mails.map((mail) => Buffer.from(mail).toString('base64'))),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`python3 failed: ${stderr}`);
  return JSON.parse(stdout);
}

export async function readWithMailparser(mail: Uint8Array): Promise<ReadMail> {
  const parsed = await simpleParser(Buffer.from(mail), {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    skipTextLinks: true,
  });
  const mailboxes = (value: AddressObject | AddressObject[] | undefined): ReadMailbox[] =>
    (Array.isArray(value) ? value : value ? [value] : []).flatMap(({ value: list }) =>
      list.flatMap((entry) => entry.group ?? [entry]).map(({ name, address }) => ({ name, address: address ?? '' })),
    );
  return {
    subject: parsed.subject ?? null,
    from: mailboxes(parsed.from),
    to: mailboxes(parsed.to),
    cc: mailboxes(parsed.cc),
    replyTo: mailboxes(parsed.replyTo),
    text: parsed.text ?? null,
    html: parsed.html === false ? null : parsed.html,
    attachments: parsed.attachments.map(({ filename, contentId, content }) => ({
      filename: filename ?? null,
      contentId: contentId?.replace(/^<|>$/g, '') ?? null,
      content: content.toString('base64'),
    })),
  };
}

export async function readWithPostalMime(
  mail: Uint8Array,
): Promise<ReadMail & { readonly headers: ReadonlyMap<string, string> }> {
  const parsed = await PostalMime.parse(mail, { rfc822Attachments: true });
  const mailboxes = (value: Address | Address[] | undefined): ReadMailbox[] =>
    (Array.isArray(value) ? value : value ? [value] : []).flatMap(({ name, address, group }) =>
      group
        ? group.map((member) => ({ name: member.name, address: member.address ?? '' }))
        : [{ name, address: address ?? '' }],
    );
  return {
    headers: new Map(parsed.headers.map(({ key, value }) => [key, decodeWords(value)])),
    subject: parsed.subject ?? null,
    from: mailboxes(parsed.from),
    to: mailboxes(parsed.to),
    cc: mailboxes(parsed.cc),
    replyTo: mailboxes(parsed.replyTo),
    text: parsed.text ?? null,
    html: parsed.html ?? null,
    attachments: parsed.attachments.map(({ filename, contentId, content }) => ({
      filename,
      contentId: contentId?.replace(/^<|>$/g, '') ?? null,
      content: (typeof content === 'string' ? Buffer.from(content) : Buffer.from(content as ArrayBuffer)).toString(
        'base64',
      ),
    })),
  };
}
