import { createHash, timingSafeEqual } from 'node:crypto';
import { errorReply, type Reply } from '../../mailbox/web/reply.ts';
import { isForeign } from '../../mailbox/web/request-guard.ts';
import { isLoopback } from '../../net/loopback.ts';
import { reasonOf } from '../../util/reason.ts';
import { isRemote } from '../../util/remote-address.ts';
import type { DashboardOptions } from '../dashboard-options.ts';

/** The header that the page sends with a change: another origin would have to ask for it first (CORS), and is not answered. */
const CHANGE_HEADER = 'x-amsdal-mail';
/** What proxies add: then whoever asked is elsewhere, whatever Host says. */
const OF_PROXIES = /^(?:forwarded|via|x-real-ip|x-forwarded-|cf-)/;

/** Why a request is not answered; null when it is. */
export async function refusalOf(
  request: Request,
  isPage: boolean,
  auth: DashboardOptions['auth'],
): Promise<Reply | null> {
  const { method, headers } = request;
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    return { ...errorReply(405, 'bad-method', 'it takes GET and POST'), headers: { allow: 'GET, HEAD, POST' } };
  }
  const { host: named } = new URL(request.url);
  const host = headers.get('host') ?? named;
  if (isForeign({ method, host, isPage, header: (name) => headers.get(name) })) {
    const advice = 'behind a proxy, Host must be the name that browsers see';
    return errorReply(403, 'forbidden', `a page of another origin asked for this; ${advice}`);
  }
  if (auth === undefined) {
    const isPassedOn = [...headers.keys()].some((name) => OF_PROXIES.test(name));
    // Anybody may write any Host: where the address of who asked is known, it counts, too.
    if (isOwnName(host) && isOwnName(named) && !isPassedOn && !isRemote(request)) return null;
    const text = 'without auth the dashboard answers requests to this machine alone: outbox.dashboard({ auth })';
    return errorReply(403, 'forbidden', text);
  }
  if (typeof auth === 'function') return refusalBy(auth, request);
  if (!isLogin(headers.get('authorization'), auth)) {
    const refused = errorReply(401, 'unauthorized', 'this outbox asks for a name and password');
    const challenge = { 'www-authenticate': 'Basic realm="outbox", charset="UTF-8"' };
    return { ...refused, headers: { ...refused.headers, ...challenge } };
  }
  return null;
}

/** Its error is told in the log alone: whoever asks may be a stranger. */
async function refusalBy(
  auth: (request: Request) => boolean | Promise<boolean>,
  request: Request,
): Promise<Reply | null> {
  try {
    return (await auth(request)) ? null : errorReply(401, 'unauthorized', 'you may not see this outbox');
  } catch (error) {
    const text = `auth of the dashboard has failed: ${reasonOf(error)}`;
    process.emitWarning(text, { type: 'AmsdalMailWarning', code: 'failed' });
    return errorReply(500, 'failed', 'auth has failed: the log of the server says why');
  }
}

/** Why a change is not made; null when it may be. */
export function changeRefusalOf({ headers }: Request, readOnly: boolean): Reply | null {
  if (readOnly) return errorReply(403, 'read-only', 'this dashboard only shows: readOnly is set');
  const isJson = /^application\/json\b/i.test(headers.get('content-type') ?? '');
  if (isJson && headers.get(CHANGE_HEADER) !== null) return null;
  return errorReply(403, 'forbidden', `a change comes as application/json with the header ${CHANGE_HEADER}`);
}

function isOwnName(host: string): boolean {
  return URL.canParse(`http://${host}`) && isLoopback(new URL(`http://${host}`));
}

/** RFC 7617; compared by hashes, in a time that tells nothing of how much of it was right. */
function isLogin(
  authorization: string | null,
  { username, password }: { readonly username: string; readonly password: string },
): boolean {
  const [, given = ''] = /^basic +(\S+)$/i.exec(authorization ?? '') ?? [];
  return timingSafeEqual(hashOf(Buffer.from(given, 'base64')), hashOf(Buffer.from(`${username}:${password}`)));
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
