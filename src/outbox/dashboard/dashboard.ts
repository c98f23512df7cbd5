import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pageFile, pageFolder } from '../../mailbox/page-files.ts';
import { ALWAYS, errorReply, jsonReply, notFound, type Reply } from '../../mailbox/web/reply.ts';
import { ownFile } from '../../options/own-file.ts';
import { parseObject } from '../../util/json.ts';
import { reasonOf } from '../../util/reason.ts';
import type { DashboardOptions } from '../dashboard-options.ts';
import { type DashboardHost, decide, listOf, overviewOf } from './answers.ts';
import { changeRefusalOf, refusalOf } from './entry.ts';
import { History } from './history.ts';

/** A change of a hundred mails is far smaller. */
const MOST_BYTES = 100_000;

/**
 * Answers at one path, wherever that is mounted: the page without a query, a file of it for `?file=`, the API for `?do=`.
 *
 * @throws {ConfigurationError} `load-failed` in a bundle, which lacks the files of the page.
 */
export function openDashboard(
  host: DashboardHost,
  { auth, readOnly = false }: DashboardOptions,
): (request: Request) => Promise<Response> {
  const files = readFiles();
  const history = new History(host.store, host.signal);

  const answerOf = async (request: Request): Promise<Reply> => {
    const { searchParams: asked } = new URL(request.url);
    const [wish, file] = [asked.get('do'), asked.get('file')];
    const refused = await refusalOf(request, wish === null && file === null, auth);
    if (refused !== null) return refused;
    if (host.signal.aborted) return errorReply(503, 'closed', 'the outbox is closed');
    if (request.method === 'POST') {
      return changeRefusalOf(request, readOnly) ?? (wish === 'decide' ? change(request) : notFound('change'));
    }
    switch (wish) {
      case null:
        return files.get(file ?? 'outbox.html') ?? notFound('file');
      case 'overview':
        return jsonReply(await overviewOf(host, history, readOnly, Number(asked.get('since') ?? 0)));
      case 'list':
        return jsonReply({ mails: await listOf(host, asked) });
      case 'mail': {
        const mail = await host.outbox.get(asked.get('id') ?? '');
        return mail === null ? notFound('mail') : jsonReply(mail);
      }
      case 'metrics': {
        const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
        return { status: 200, headers, body: await host.outbox.metrics() };
      }
      default:
        return notFound('page');
    }
  };

  const change = async (request: Request): Promise<Reply> => {
    const text = await textOf(request);
    if (text === null) return errorReply(413, 'too-large', `a change may have ${MOST_BYTES} bytes`);
    const changed = await decide(host, parseObject(text));
    history.expire();
    return changed === null
      ? errorReply(400, 'bad-request', 'it takes { action: retry, cancel, sent or resend; ids: at most 100 }')
      : jsonReply({ changed });
  };

  return async (request) => {
    const { status, headers, body } = await answerOf(request).catch((error: unknown) =>
      errorReply(500, 'failed', reasonOf(error)),
    );
    const bytes = typeof body === 'string' ? body : new Uint8Array(body);
    return new Response(request.method === 'HEAD' ? null : bytes, { status, headers: { ...ALWAYS, ...headers } });
  };
}

/** The files of the page by name; it shares some with that of the mailbox. */
function readFiles(): ReadonlyMap<string, Reply> {
  const files = new Map<string, Reply>();
  for (const folder of [pageFolder(), ownFile(import.meta.url, '../page', 'the dashboard needs')]) {
    for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const file = pageFile(path, () => linked(readFileSync(join(folder, path), 'utf8')));
      if (file !== null) files.set(basename(path), file);
    }
  }
  return files;
}

/**
 * A script whose imports find the others by `?file=`: a relative path would depend on where the page is mounted, which whoever
 * mounts it may hide.
 */
function linked(text: string): string {
  const imports = /^import ?\{([^}]*)\} ?from ?['"][./][^'"]*?([\w.-]+\.js)['"];/gm;
  return text.replace(imports, (_, names: string, file: string) => {
    return `const {${names.replaceAll(' as ', ': ')}} = await import(new URL('?file=${file}', import.meta.url));`;
  });
}

/** The body; null when it is too large. */
async function textOf({ body }: Request): Promise<string | null> {
  const decoder = new TextDecoder();
  let [text, size] = ['', 0];
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
