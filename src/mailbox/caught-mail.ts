import { comparisonKey } from '../address.ts';
import { textOfHtml } from '../mime/html-text.ts';
import { MailContent } from '../mime/mail-content.ts';
import { type ReadAddress, readAddresses } from '../mime/read-addresses.ts';
import { headerText, headerValue } from '../mime/read-headers.ts';
import type { JsonValue } from '../util/json.ts';
import { readMetadata, readTags } from './tag-headers.ts';

/** Who a mail was really sent by and to, which its headers need not say. */
interface MailEnvelope {
  /** MAIL FROM; '' is the null sender. */
  readonly from: string;
  /** RCPT TO, those of Bcc among them. */
  readonly to: readonly string[];
}

/** How a mail came in and what came with it. */
export interface Arrival {
  readonly bytes: Uint8Array;
  readonly envelope: MailEnvelope;
  readonly via: 'smtp' | 'backend' | 'api' | 'preview';
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** What else the app or the client said: template, priority, TLS, user. */
  readonly facts?: Readonly<Record<string, JsonValue>>;
}

/** What the list shows of a mail. */
export interface MailSummary {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  readonly from: ReadAddress | null;
  readonly to: readonly ReadAddress[];
  readonly cc: readonly ReadAddress[];
  /** Recipients of the envelope that no header names. */
  readonly bcc: readonly string[];
  /** How many recipients `to`, `cc` and `bcc` leave out, as they list a hundred each. */
  readonly unlisted: { readonly to: number; readonly cc: number; readonly bcc: number };
  readonly subject: string;
  /** How the body begins. */
  readonly snippet: string;
  readonly envelope: MailEnvelope;
  readonly via: Arrival['via'];
  /** Bytes. */
  readonly size: number;
  /** How many attachments, inline images not counted. */
  readonly attachments: number;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly facts: Readonly<Record<string, JsonValue>>;
  readonly isRead: boolean;
}

const SNIPPET = 180;
/** How much of a body the search knows. */
const INDEXED = 2000;
/** Recipients of one mail that the list and the index carry. */
const MAX_LISTED = 100;

/** A mail's summary, and the text that a search without a field looks at, in lower case. */
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
    snippet: body.slice(0, SNIPPET),
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
  const text = content.text(INDEXED * 2);
  if (text?.trim()) return squeeze(text);
  const html = content.html(INDEXED * 10);
  return html === null ? '' : squeeze(textOfHtml(html));
}

/** White space, and the invisible characters that preheaders are padded with, as one space. */
function squeeze(text: string): string {
  return text
    .replace(/(?:\s|\u00ad|\u034f|[\u200b-\u200f\u2028-\u202e\u2060\ufeff])+/g, ' ')
    .trim()
    .slice(0, INDEXED);
}
