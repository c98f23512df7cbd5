import { releaseMail, setChaos } from './api.js';
import { Dialog } from './dialog.js';
import { plural } from './format.js';
import { html, useState } from './vendor/preact.js';

const KEYS = [
  ['j / k', 'next, previous message; in the list the arrows, too'],
  ['/', 'search'],
  ['# / Del', 'delete the message'],
  ['u', 'mark it unread'],
  ['d', 'light or dark'],
  ['Esc', 'back to the list'],
  ['?', 'this help'],
];

const SEARCHES = [
  ['from:anna', 'sender, by name or address'],
  ['to:bob@example.com', 'recipient, Bcc among them'],
  ['subject:"your order"', 'subject'],
  ['tag:welcome', 'tag'],
  ['has:attachment', 'with attachments'],
  ['is:unread', 'not read yet'],
  ['-invoice', 'without this word'],
];

const ROUTES = [
  ['GET /api/messages?query=', 'list and search'],
  ['GET /api/messages/wait?to=&timeout=', 'wait for a mail (ms)'],
  ['GET /api/messages/:id', 'one mail with text, HTML, links'],
  ['GET /api/messages/:id/source', 'the source; ?download for .eml'],
  ['DELETE /api/messages', 'delete all, or those of ?query='],
];

/** @param {{ onClose: () => void }} props */
export function HelpDialog({ onClose }) {
  const table = (/** @type {string[][]} */ rows, /** @type {string} */ kind) => html`<dl class=${`help ${kind}`}>
    ${rows.map(([term, meaning]) => html`<div><dt>${kind === 'keys' ? html`<kbd>${term}</kbd>` : html`<code>${term}</code>`}</dt><dd class="muted">${meaning}</dd></div>`)}
  </dl>`;
  return html`<${Dialog} title="Keyboard, search and API" onClose=${onClose}>
    <h3>Keyboard</h3>
    ${table(KEYS, 'keys')}
    <h3>Search</h3>
    ${table(SEARCHES, 'searches')}
    <h3>JSON API, for tests in any language</h3>
    ${table(ROUTES, 'routes')}
  </${Dialog}>`;
}

/** @param {{ settings: import('./api.js').ChaosSettings, onClose: () => void }} props */
export function ChaosDialog({ settings, onClose }) {
  const [fault, setFault] = useState('');
  const change = (/** @type {Partial<import('./api.js').ChaosSettings>} */ changes) => {
    setChaos(changes).then(
      () => setFault(''),
      (error) => setFault(error.message),
    );
  };
  /** @param {'refuse' | 'drop' | 'delay'} name @param {string} label @param {string} explanation */
  const slider = (name, label, explanation) => html`<label>
    <span><strong>${label}</strong> <span class="muted">${explanation}</span></span>
    <span class="field flex">
      <input class="grow" type="range" min="0" max="100" step="5" value=${settings[name]} onChange=${(/** @type {InputEvent} */ { target }) => target instanceof HTMLInputElement && change({ [name]: Number(target.value) })} />
      <output>${settings[name]} %</output>
    </span>
  </label>`;
  return html`<${Dialog} title="Chaos" onClose=${onClose}>
    <p class="muted">A share of the recipients goes wrong on purpose, over SMTP and from the backend, so that you see what your app does about it.</p>
    ${slider('refuse', 'Refuse', 'the recipient is answered with an error')}
    <fieldset class="choices flex">
      <legend class="muted">Refused</legend>
      ${[550, 450].map(
        (code) => html`<label>
          <input type="radio" name="code" checked=${settings.refuseCode === code} onChange=${() => change({ refuseCode: code === 450 ? 450 : 550 })} />
          ${code === 550 ? 'for good (550)' : 'for now (450)'}
        </label>`,
      )}
    </fieldset>
    ${slider('drop', 'Drop', 'the connection is cut')}
    ${slider('delay', 'Delay', `the answer comes ${settings.delayMs / 1000} s late`)}
    <label class="field flex">Delay in milliseconds
      <input class="input" type="number" min="0" max="60000" step="500" value=${settings.delayMs} onChange=${(/** @type {InputEvent} */ { target }) => target instanceof HTMLInputElement && change({ delayMs: Number(target.value) })} />
    </label>
    <p class="fault" role="alert">${fault}</p>
    <div class="buttons flex">
      <button type="button" class="button" onClick=${() => change({ refuse: 0, drop: 0, delay: 0 })}>All calm</button>
      <button type="button" class="button primary" onClick=${onClose}>Done</button>
    </div>
  </${Dialog}>`;
}

/** @param {{ count: number, query: string, onClear: () => void, onClose: () => void }} props */
export function ClearDialog({ count, query, onClear, onClose }) {
  return html`<${Dialog} title=${`Delete ${plural(count, 'message')}?`} onClose=${onClose}>
    <p>${query ? html`Those that fit <code>${query}</code> are gone then.` : 'The mailbox is empty then.'} This cannot be undone.</p>
    <div class="buttons flex">
      <button type="button" class="button" onClick=${onClose}>Keep</button>
      <button
        type="button"
        class="button danger"
        onClick=${() => {
          onClear();
          onClose();
        }}
      >
        Delete
      </button>
    </div>
  </${Dialog}>`;
}

/** @param {{ id: string, allowed: readonly string[], onClose: () => void }} props */
export function ReleaseDialog({ id, allowed, onClose }) {
  const [to, setTo] = useState(allowed.find((address) => !address.startsWith('*')) ?? '');
  const [result, setResult] = useState(/** @type {import('./api.js').ReleaseResult | null} */ (null));
  const [isSending, setSending] = useState(false);
  const send = () => {
    setSending(true);
    releaseMail(id, to)
      .then(setResult, (error) => setResult({ isSent: false, message: error.message, status: null }))
      .finally(() => setSending(false));
  };
  return html`<${Dialog} title="Send this mail on" onClose=${onClose}>
    <p class="muted">It really leaves this machine, to this one address only. Allowed: ${allowed.join(', ')}</p>
    <label class="field flex">To
      <input class="input grow" type="email" value=${to} onInput=${(/** @type {InputEvent} */ { target }) => target instanceof HTMLInputElement && setTo(target.value)} />
    </label>
    <p class=${result?.isSent ? 'success' : 'fault'} role="alert">${result?.message}</p>
    <div class="buttons flex">
      <button type="button" class="button" onClick=${onClose}>${result?.isSent ? 'Close' : 'Cancel'}</button>
      <button type="button" class="button primary" disabled=${isSending || to === ''} onClick=${send}>${isSending ? 'Sending…' : 'Send'}</button>
    </div>
  </${Dialog}>`;
}
