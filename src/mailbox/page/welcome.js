import { Icon } from './icons.js';
import { html, useState } from './vendor/preact.js';

/**
 * Shown when no message is open: how mail gets here.
 *
 * @param {{ info: import('./api.js').Info | null, hasMails: boolean, folder: 'mails' | 'previews' }} props
 */
export function Welcome({ info, hasMails, folder }) {
  if (folder === 'previews') {
    return html`<div class="welcome column grow">
      <span class="welcome-icon center"><${Icon} name="eye" /></span>
      <h2>Previews</h2>
      <p>Templates are rendered as they will be sent, without sending them.</p>
      <${Snippet} label="emails/welcome.js" text=${"export function preview() {\n  return { subject: 'Welcome', htmlBody: '<h1>Hello Anna</h1>' };\n}"} />
    </div>`;
  }
  if (hasMails) {
    return html`<div class="welcome column grow">
      <span class="welcome-icon center"><${Icon} name="inbox" /></span>
      <h2>No message selected</h2>
      <p>Choose one, or press <kbd>j</kbd> and <kbd>k</kbd> to go through them.</p>
    </div>`;
  }
  const smtp = info?.smtp;
  const setting = info && settingFor(info.page);
  const url = smtp ? `smtp://${hostOf(smtp.host)}:${smtp.port}` : info && urlFor(info.page);
  return html`<div class="welcome column grow">
    <span class="welcome-icon center"><${Icon} name="inbox" /></span>
    <h2>Waiting for mail</h2>
    <p>Everything your app sends is caught here. Nothing leaves this machine.</p>
    ${setting && html`<${Snippet} label="amsdal-mail, by environment" text=${setting} />`}
    ${
      smtp &&
      html`<${Snippet} label=${`any language, by SMTP${smtp.startTls ? ' (STARTTLS and any password, if you like)' : ' (any password, if you like)'}`} text=${`${hostOf(smtp.host)}:${smtp.port}`} />`
    }
    ${url && html`<${Snippet} label="try it" text=${`echo Hello | npx amsdal-mail send --url '${url}' --from me@example.com --to you@example.com --subject Hello`} />`}
  </div>`;
}

/** The environment variable that makes an app send here. @param {import('./api.js').Info['page']} page */
function settingFor(page) {
  return urlFor(page) === 'mailbox://?port=8025'
    ? 'AMSDAL_EMAIL_BACKEND=mailbox'
    : `AMSDAL_EMAIL_URL='${urlFor(page)}'`;
}

/** @param {import('./api.js').Info['page']} page */
function urlFor({ host, port }) {
  const isUsual = ['127.0.0.1', 'localhost', '0.0.0.0', '::'].includes(host);
  return `mailbox://?${isUsual ? '' : `host=${encodeURIComponent(host)}&`}port=${port}`;
}

/** @param {string} host */
function hostOf(host) {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** Text to copy. @param {{ label: string, text: string }} props */
export function Snippet({ label, text }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1500);
      },
      () => {},
    );
  };
  return html`<div class="snippet-box">
    <span class="small">${label}</span>
    <pre class="card" tabindex="0" aria-label=${label}>${text}</pre>
    <button type="button" class="icon-button center" aria-label=${`Copy: ${label}`} onClick=${copy}>
      <${Icon} name=${isCopied ? 'check' : 'copy'} />
    </button>
  </div>`;
}
