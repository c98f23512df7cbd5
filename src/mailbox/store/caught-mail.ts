import { type ReadAddress, readAddresses } from '../../mime/read/addresses.ts';
import { headerText, headerValue } from '../../mime/read/headers.ts';
import { textOfHtml } from '../../mime/read/html-text.ts';
import { MailContent } from '../../mime/read/mail-content.ts';
import { comparisonKey } from '../../model/address.ts';
import type { JsonValue } from '../../util/json.ts';
import { readMetadata, readTags } from './tag-headers.ts';

/** The actual sender and recipients, which may differ from the headers. */
interface MailEnvelope {
  /** The address in MAIL FROM; '' is the null sender. */
  readonly from: string;
  /** The addresses in RCPT TO, Bcc included. */
  readonly to: readonly string[];
}

/** A mail as it arrived. */
export interface Arrival {
  readonly bytes: Uint8Array;
  readonly envelope: MailEnvelope;
  readonly via: 'smtp' | 'backend' | 'api' | 'preview';
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** What else is known from the app or the client: template, priority, TLS, user. */
  readonly facts?: Readonly<Record<string, JsonValue>>;
}

/** A mail as the list shows it. */
export interface MailSummary {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  readonly from: ReadAddress | null;
  readonly to: readonly ReadAddress[];
  readonly cc: readonly ReadAddress[];
  /** Envelope recipients that are in no header. */
  readonly bcc: readonly string[];
  /** How many recipients are missing from `to`, `cc` and `bcc`, which list at most 100 each. */
  readonly unlisted: { readonly to: number; readonly cc: number; readonly bcc: number };
  readonly subject: string;
  /** The beginning of the body. */
  readonly snippet: string;
  readonly envelope: MailEnvelope;
  readonly via: Arrival['via'];
  /** Bytes. */
  readonly size: number;
  /** The number of attachments, without inline images. */
  readonly attachments: number;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly facts: Readonly<Record<string, JsonValue>>;
  readonly isRead: boolean;
}

const SNIPPET_LENGTH = 180;
/** The characters of a body that can be searched. */
const INDEXED_LENGTH = 2000;
/** The recipients of one mail that are listed and searched. */
const MAX_LISTED = 100;

/** A mail's summary, and the text in which words are searched, in lower case. */
export function summarize(
  id: string,
  receivedAt: Date,
  arrival: Arrival,
): { readonly summary: MailSummary; readonly indexed: string } {
  const content = new MailContent(arrival.bytes);
  const { headers } = content.tree.root;
  const addresses = (name: string) => readAddresses(headerValue(headers, name) ?? '');
  const [from = null] = addresses('from');
  const to = addresses('to');
  const cc = addresses('cc');
  const named = new Set([...to, ...cc].map(({ address }) => comparisonKey(address)));
  const bcc = arrival.envelope.to.filter((address) => !named.has(comparisonKey(address)));
  const body = bodyText(content);
  const tags = arrival.tags ?? readTags(headers);
  const subject = (headerText(headers, 'subject') ?? '').slice(0, 1000);
  const summary: MailSummary = {
    id,
    receivedAt: receivedAt.toISOString(),
    from,
    to: to.slice(0, MAX_LISTED),
    cc: cc.slice(0, MAX_LISTED),
    bcc: bcc.slice(0, MAX_LISTED),
    unlisted: { to: unlisted(to), cc: unlisted(cc), bcc: unlisted(bcc) },
    subject,
    snippet: body.slice(0, SNIPPET_LENGTH),
    envelope: arrival.envelope,
    via: arrival.via,
    size: arrival.bytes.length,
    attachments: content.attachments.filter(({ contentId }) => contentId === null).length,
    tags,
    metadata: arrival.metadata ?? readMetadata(headers),
    facts: arrival.facts ?? {},
    isRead: false,
  };
  const people = [from, ...to, ...cc].map((who) => (who === null ? '' : `${who.name} ${who.address}`));
  const indexed = [subject, ...people.slice(0, MAX_LISTED), ...summary.bcc, ...tags, body].join('\n').toLowerCase();
  return { summary, indexed };
}

function unlisted(people: readonly unknown[]): number {
  return Math.max(0, people.length - MAX_LISTED);
}

function bodyText(content: MailContent): string {
  const text = content.text(INDEXED_LENGTH * 2);
  if (text?.trim()) return collapseSpace(text);
  const html = content.html(INDEXED_LENGTH * 10);
  return html === null ? '' : collapseSpace(textOfHtml(html));
}

/** Collapses white space, and the invisible characters that pad preheaders, to single spaces. */
function collapseSpace(text: string): string {
  return text
    .replace(/(?:\s|\u00ad|\u034f|[\u200b-\u200f\u2028-\u202e\u2060\ufeff])+/g, ' ')
    .trim()
    .slice(0, INDEXED_LENGTH);
}
