import { lint } from '../../mime/lint/lint.ts';
import { MailContent } from '../../mime/read/mail-content.ts';
import { viewMail } from '../../mime/read/mail-view.ts';
import { reasonOf } from '../../util/reason.ts';
import { acceptMail } from '../catch/accept-mail.ts';
import type { Chaos } from '../catch/chaos.ts';
import type { MailRelease } from '../release.ts';
import type { Arrival, MailSummary } from '../store/caught-mail.ts';
import type { MailStore } from '../store/mail-store.ts';
import { type MailMatcher, matchAddress, matchField, parseSearch, unknownTerms } from '../store/search.ts';
import { readArrivalFacts } from '../store/stored-facts.ts';
import { frameHeaders, htmlDocument } from './html-document.ts';
import { contentReply, errorReply, jsonReply, notFound, type Reply } from './reply.ts';
import { BadRequest, type RouteRequest, type Routes } from './router.ts';

const MAX_LIMIT = 1000;
const MAX_WAIT_MS = 600_000;

/** A mail that can be shown: a caught one, or the preview of a template. */
export interface ShownMail {
  readonly summary: MailSummary;
  readonly bytes: Uint8Array;
}

/** The API of the caught mails. */
export function messageRoutes(store: MailStore, chaos: Chaos, release: MailRelease | null): Routes {
  const find = ({ params }: RouteRequest): ShownMail | null => findMail(store, params['id'] ?? '');
  return {
    'GET /api/messages': ({ query }) =>
      jsonReply({
        ...store.list({
          matcher: matcherOf(query),
          limit: Math.min(numberOf(query, 'limit', 100), MAX_LIMIT),
          before: query.get('before') ?? undefined,
        }),
        unknownTerms: unknownTerms(query.get('query') ?? ''),
      }),
    'POST /api/messages': async (request) =>
      jsonReply(acceptMail(store, chaos, readArrival(await request.json())), 201),
    'DELETE /api/messages': ({ query }) => jsonReply({ removed: store.remove(matcherOf(query)) }),
    'GET /api/messages/wait': (request) => waitForMail(store, request),
    'DELETE /api/messages/:id': ({ params }) =>
      store.remove(({ id }) => id === params['id']) > 0 ? jsonReply({ removed: 1 }) : notFound('message'),
    'PUT /api/messages/:id/read': async (request) => {
      const { isRead } = await request.json();
      if (typeof isRead !== 'boolean') throw new BadRequest('isRead must be true or false');
      return store.setRead(request.params['id'] ?? '', isRead) ? jsonReply({ isRead }) : notFound('message');
    },
    'POST /api/messages/:id/release': async (request) => {
      const mail = find(request);
      if (mail === null) return notFound('message');
      if (release === null) return errorReply(403, 'release-off', 'the mailbox was started without release');
      const { to } = await request.json();
      if (typeof to !== 'string') throw new BadRequest('to must be an address');
      return jsonReply(await release.send(mail.bytes, to, request.signal));
    },
    ...shownMailRoutes('/api/messages/:id', find),
  };
}

/** The API of one mail, below `path`. */
export function shownMailRoutes(
  path: string,
  find: (request: RouteRequest) => ShownMail | null | Promise<ShownMail | null>,
): Routes {
  const show = (view: (mail: ShownMail, request: RouteRequest) => Reply) => async (request: RouteRequest) => {
    const mail = await find(request);
    return mail === null ? notFound('message') : view(mail, request);
  };
  return {
    [`GET ${path}`]: show(mailReply),
    [`GET ${path}/checks`]: show(({ bytes }) => jsonReply({ checks: lint(bytes) })),
    [`GET ${path}/source`]: show(({ summary, bytes }, { query }) =>
      query.has('download')
        ? contentReply(bytes, 'message/rfc822', `${summary.subject.trim() || summary.id}.eml`)
        : contentReply(bytes, 'text/plain; charset=utf-8', null),
    ),
    [`GET ${path}/html`]: show(({ bytes }, { query }) => {
      const body = htmlDocument(new MailContent(bytes), { scheme: schemeOf(query) });
      return body === null
        ? notFound('part')
        : { status: 200, headers: frameHeaders(query.get('images') === 'remote'), body };
    }),
    [`GET ${path}/parts/:part`]: show(({ bytes }, { params, query }) =>
      partReply(bytes, params['part'] ?? '', query.has('download')),
    ),
  };
}

function findMail(store: MailStore, id: string): ShownMail | null {
  const summary = store.get(id);
  const bytes = store.read(id);
  return summary === null || bytes === null ? null : { summary, bytes };
}

function mailReply({ summary, bytes }: ShownMail): Reply {
  return jsonReply({ ...summary, ...viewMail(new MailContent(bytes)) });
}

function schemeOf(query: URLSearchParams): 'light' | 'dark' | null {
  const scheme = query.get('scheme');
  return scheme === 'light' || scheme === 'dark' ? scheme : null;
}

/** Media types that are safe to show: browsers run nothing in images, nor under the sandbox of contentReply. */
const SHOWN = /^(image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml|x-icon)|audio\/[\w.+-]+|video\/[\w.+-]+)$/;

function partReply(bytes: Uint8Array, path: string, isDownload: boolean): Reply {
  const found = new MailContent(bytes).content(path === 'root' ? '' : path);
  if (found === null) return notFound('part');
  const { part, bytes: content } = found;
  const type = part.mediaType;
  if (isDownload) return contentReply(content, 'application/octet-stream', part.filename ?? `part-${path}`);
  if (SHOWN.test(type)) return contentReply(content, type, null);
  if (type === 'application/pdf') {
    const reply = contentReply(content, type, null);
    // The browser's PDF viewer does not start in a sandbox; it is one itself.
    return {
      ...reply,
      headers: { ...reply.headers, 'content-security-policy': "script-src 'none'; frame-ancestors 'self'" },
    };
  }
  const charset = part.parameters['charset'];
  const label = charset !== undefined && /^[\w-]{1,40}$/.test(charset) ? charset : 'utf-8';
  return contentReply(content, `text/plain; charset=${label}`, null);
}

/** Answers with the newest mail that matches, as soon as there is one; 408 when none came in time. */
function waitForMail(store: MailStore, { query, signal }: RouteRequest): Reply | Promise<Reply> {
  const matcher = matcherOf(query);
  const timeoutMs = Math.min(numberOf(query, 'timeout', 10_000), MAX_WAIT_MS);
  const show = ({ id }: MailSummary): Reply => {
    const mail = findMail(store, id);
    return mail === null ? notFound('message') : mailReply(mail);
  };
  const present = store.find(matcher);
  if (present !== null) return show(present);
  return new Promise((resolve) => {
    const end = (reply: Reply): void => {
      unsubscribe();
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      resolve(reply);
    };
    const giveUp = (): void =>
      end(errorReply(408, 'timeout', `no such message came within ${timeoutMs} ms; there are ${store.size} others`));
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp);
    const unsubscribe = store.subscribe(({ added }) => {
      const match = added.find(({ id }) => store.matches(id, matcher));
      if (match !== undefined) end(show(match));
    });
  });
}

const FIELDS = ['from', 'to', 'subject', 'tag'] as const;

/**
 * Reads `query=` in the syntax of the search field, and `to=`, `from=`, `subject=`, `tag=` and `since=` (a time). A complete
 * address in `to=` or `from=` matches that address only.
 */
function matcherOf(query: URLSearchParams): MailMatcher {
  const matchers = [parseSearch(query.get('query') ?? '')];
  for (const field of FIELDS) {
    const value = query.get(field);
    if (value === null) continue;
    const address = wholeAddress(value);
    if ((field === 'from' || field === 'to') && address !== null) matchers.push(matchAddress(field, address));
    else matchers.push(matchField(field, value));
  }
  const since = query.get('since');
  if (since !== null) {
    const time = Date.parse(since);
    if (Number.isNaN(time)) throw new BadRequest('since must be a time such as 2026-01-31T12:00:00Z');
    matchers.push(({ receivedAt }) => Date.parse(receivedAt) >= time);
  }
  return (summary, indexed) => matchers.every((matcher) => matcher(summary, indexed));
}

/** The address of `kate@example.com` or `Kate <kate@example.com>`; null when it is incomplete. */
function wholeAddress(text: string): string | null {
  const address = /<([^<>]*)>\s*$/.exec(text)?.[1] ?? text;
  const at = address.lastIndexOf('@');
  return at > 0 && at < address.length - 1 ? address.trim().replaceAll(' ', '+') : null; // an unescaped plus arrives as a space
}

function numberOf(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new BadRequest(`${name} must be a number`);
  return Number(text);
}

/** Reads the mail that the backend of another process sends. */
function readArrival(body: Readonly<Record<string, unknown>>): Arrival {
  const { source } = body;
  if (typeof source !== 'string') throw new BadRequest('source must be a message in base64');
  try {
    return { bytes: Buffer.from(source, 'base64'), via: 'api', ...readArrivalFacts(body) };
  } catch (error) {
    throw new BadRequest(reasonOf(error));
  }
}
