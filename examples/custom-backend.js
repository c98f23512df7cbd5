// @ts-check
// A backend of one's own, which posts every mail to a webhook: npm run build && node examples/custom-backend.js
// Posts to WEBHOOK_URL, http://127.0.0.1:8080 by default; where nobody listens, the status says so.
import { env, stdout } from 'node:process';
import {
  BACKEND_OPTIONS,
  EmailBackend,
  EmailConnectionError,
  failedDelivery,
  getConnection,
  SendError,
  sameForAll,
  sendMail,
} from 'amsdal-mail';

/** @typedef {import('amsdal-mail').BackendOptions & { readonly url?: string }} WebhookOptions */

export class WebhookBackend extends EmailBackend {
  static optionTable = { ...BACKEND_OPTIONS, url: /** @type {const} */ ({ type: 'string' }) };

  name = 'webhook';
  /** @protected @type {ReadonlySet<import('amsdal-mail').Feature>} */
  features = new Set(/** @type {const} */ (['tags', 'metadata']));
  /** @protected @override */
  concurrency = 5;
  /** @type {string} */
  #url;

  /** @param {WebhookOptions} [options] */
  constructor(options = {}) {
    super(options);
    this.#url = options.url ?? 'http://127.0.0.1:8080';
  }

  /** @protected @override @param {import('amsdal-mail').Job} job @returns {Promise<import('amsdal-mail').DeliveryResult>} */
  async deliverOne(job) {
    const { index, message, signal = null } = job;
    const headers = { 'content-type': 'application/json' };
    let response;
    try {
      response = await fetch(this.#url, { method: 'POST', headers, body: JSON.stringify(message), signal });
    } catch (cause) {
      // Nothing listened there, so nothing was sent; whatever else happened, the webhook may have the mail.
      if (!isRefused(cause)) throw cause;
      const options = { retryable: true, cause };
      return failedDelivery(job, new EmailConnectionError('refused', `nothing listens at ${this.#url}`, options));
    }
    if (!response.ok) {
      return failedDelivery(job, new SendError('rejected', `the webhook answered ${response.status}`), 'rejected');
    }
    return { index, messageId: null, recipients: sameForAll(message, 'queued', { code: response.status }) };
  }
}

/** @param {unknown} error */
function isRefused(error) {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

const status = await sendMail({
  connection: getConnection(WebhookBackend, env['WEBHOOK_URL'] ? { url: env['WEBHOOK_URL'] } : {}),
  subject: 'Deployed',
  message: 'Version 2 is out.',
  fromEmail: 'ci@example.com',
  recipientList: ['team@example.com'],
  failSilently: true,
});
for (const { address, status: outcome, error } of status.recipients.values()) {
  stdout.write(`${address}: ${outcome}${error ? `, ${error.message}` : ''}\n`);
}
