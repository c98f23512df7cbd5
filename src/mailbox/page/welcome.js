import { Icon } from './icons.js';
import { html, useState } from './vendor/preact.js';

/**
 * What stands in place of a message: how mail gets here.
 *
 * @param {{ info: import('./api.js').Info | null, hasMails: boolean, folder: 'mails' | 'previews' }} props
 */
export function Welcome({ info, hasMails, folder }) {
  if (folder === 'previews') {
    return html`<div class="welcome">
      <span class="welcome-icon"><${Icon} name="eye" /></span>
      <h2>Previews</h2>
      <p>Templates are rendered as they will be sent, without sending them.</p>
      <${Snippet} label="emails/welcome.js" text=${"export function preview() {\n  return { subject: 'Welcome', htmlBody: '<h1>Hello Anna</h1>' };\n}"} />
    </div>`;
  }
  if (hasMails) {
    return html`<div class="welcome">
      <span class="welcome-icon"><${Icon} name="inbox" /></span>
      <h2>No message selected</h2>
      <p>Choose one, or press <kbd>j</kbd> and <kbd>k</kbd> to go through them.</p>
    </div>`;
  }
  const smtp = info?.smtp;
  return html`<div class="welcome">
    <span class="welcome-icon"><${Icon} name="inbox" /></span>
    <h2>Waiting for mail</h2>
    <p>Everything your app sends is caught here. Nothing leaves this machine.</p>
    <${Snippet} label="amsdal-mail, by environment" text="AMSDAL_EMAIL_BACKEND=mailbox" />
    ${
      smtp &&
      html`<${Snippet} label=${`any language, by SMTP${smtp.startTls ? ' (STARTTLS and any password, if you like)' : ' (any password, if you like)'}`} text=${`${smtp.host}:${smtp.port}`} />
        <${Snippet} label="try it" text=${`swaks --server ${smtp.host}:${smtp.port} --to you@example.com`} />`
    }
  </div>`;
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
    <span class="snippet-label">${label}</span>
    <pre tabindex="0" aria-label=${label}>${text}</pre>
    <button type="button" class="icon-button" aria-label=${`Copy: ${label}`} onClick=${copy}>
      <${Icon} name=${isCopied ? 'check' : 'copy'} />
    </button>
  </div>`;
}
