import type { HttpBackend } from '../../src/http/http-backend.ts';
import { EmailError } from '../../src/model/errors.ts';
import type { EmailMessageInit } from '../../src/model/message-init.ts';
import type { MessageResult } from '../../src/model/status.ts';
import { type HttpCall, type HttpReply, ScriptedHttp } from '../servers/scripted-http.ts';
import { StrictVendor, type Vendor } from '../servers/strict-vendor.ts';

/** What every field of a message says, as far as providers have something of the kind. */
export const FULL: EmailMessageInit = {
  subject: 'Größe',
  body: 'Hello',
  htmlBody: '<img src="cid:logo">',
  fromEmail: { name: 'Müller, Jörg', address: 'shop@bücher.example' },
  to: ['Ann <ann@example.org>', 'bob@example.org'],
  cc: 'cid@example.org',
  bcc: 'dan@example.org',
  replyTo: 'Help <help@example.com>',
  headers: { 'X-Order': 'Nr. 17 für Sie' },
  priority: 'high',
  listUnsubscribe: { url: 'https://example.com/u', oneClick: true },
  tags: ['welcome'],
  metadata: { order: '17' },
  attachments: [
    { filename: 'a.txt', content: 'Grüße', mimetype: 'text/plain; charset=utf-8' },
    { filename: 'logo.png', content: new Uint8Array([1, 2, 3]), contentId: 'logo' },
  ],
};

/** What FULL makes of headers. */
export const FULL_HEADERS: Readonly<Record<string, string>> = {
  'X-Priority': '1',
  Importance: 'high',
  'List-Unsubscribe': '<https://example.com/u>',
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  'X-Order': '=?UTF-8?Q?Nr=2E_17_f=C3=BCr_Sie?=',
};

/** A small mail. */
export const MAIL: EmailMessageInit = { subject: 's', body: 'b', fromEmail: 'a@example.com', to: 'b@example.org' };

/** What a strict vendor was asked when these messages were sent. */
export async function asked(
  vendor: Vendor,
  connect: (baseUrl: string) => HttpBackend,
  ...messages: readonly EmailMessageInit[]
): Promise<{
  readonly results: readonly MessageResult[];
  readonly calls: readonly HttpCall[];
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of them
  readonly bodies: readonly any[];
}> {
  const server = await StrictVendor.start(vendor);
  const backend = connect(server.http.url);
  const results: MessageResult[] = [];
  try {
    for await (const result of backend.stream(messages)) results[result.index] = result;
    return { results, calls: server.http.calls, bodies: server.bodies };
  } finally {
    await backend.close();
    await server.close();
  }
}

/** What is said of a small mail, and of one to a second recipient, when the vendor answers so. */
export async function told(
  reply: HttpReply | ScriptedHttp['script'],
  connect: (baseUrl: string) => HttpBackend,
  message: EmailMessageInit = MAIL,
): Promise<Readonly<Record<string, unknown>>> {
  const server = await ScriptedHttp.start();
  server.script = typeof reply === 'function' ? reply : () => reply;
  const backend = connect(server.url);
  try {
    const status = await backend.sendMessages([message]);
    const statuses = [...status.recipients.values()].map((recipient) => recipient.status);
    return { status: statuses.join(), id: status.messageId };
  } catch (error) {
    if (!(error instanceof EmailError)) throw error;
    const statuses = [...(error.status?.recipients.values() ?? [])].map((recipient) => recipient.status);
    return { status: statuses.join(), code: error.code, text: error.message, retryable: error.retryable };
  } finally {
    await backend.close();
    await server.close();
  }
}

/** What `verify` finds out when the vendor answers so, and what it asked. */
export async function verified(reply: HttpReply, connect: (baseUrl: string) => HttpBackend): Promise<unknown> {
  const server = await ScriptedHttp.start();
  server.script = () => reply;
  const backend = connect(server.url);
  try {
    const { details } = await backend.verify();
    return { asked: server.calls[0]?.path, ...details };
  } catch (error) {
    return { asked: server.calls[0]?.path, code: error instanceof EmailError ? error.code : error };
  } finally {
    await backend.close();
    await server.close();
  }
}
