import type { Provider } from '../../http/provider.ts';
import type { HttpRequest } from '../../net/transport.ts';

/**
 * The headers that sign a request of Azure Communication Services: over its method, path, date, host and content
 * (https://learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial).
 *
 * @param accessKey in base64
 */
export function signatureOf(
  { method, url, body }: Pick<HttpRequest, 'method' | 'url' | 'body'>,
  accessKey: string,
  now: Date,
): { readonly 'x-ms-date': string; readonly 'x-ms-content-sha256': string; readonly authorization: string } {
  const { createHash, createHmac } = process.getBuiltinModule('node:crypto');
  const { pathname, search, host } = new URL(url);
  const date = now.toUTCString();
  const hash = createHash('sha256');
  for (const chunk of typeof body === 'string' ? [body] : (body ?? [])) hash.update(chunk);
  const content = hash.digest('base64');
  const signature = createHmac('sha256', Buffer.from(accessKey, 'base64'))
    .update(`${method}\n${pathname}${search}\n${date};${host};${content}`)
    .digest('base64');
  return {
    'x-ms-date': date,
    'x-ms-content-sha256': content,
    authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
  };
}

/** Signs each try of a request, which is of its own date; there is no other key after a refusal. */
export function signWith(accessKey: string): Provider['sign'] {
  return async (request, { refused }) =>
    refused === null ? { headers: signatureOf(request, accessKey, new Date()), secrets: [accessKey] } : null;
}
