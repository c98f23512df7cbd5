import { getChecks, getMail, pathOf } from './api.js';
import { Attachments } from './attachments.js';
import { HtmlView, TextView } from './body-view.js';
import { ReleaseDialog } from './dialogs.js';
import { fullTime, hue, initials, personName, shortTime } from './format.js';
import { Icon, IconButton } from './icons.js';
import { Checks, Delivery, Headers, Links, Source, Structure } from './inspect.js';
import { html, useEffect, useState } from './vendor/preact.js';

/** @typedef {import('./api.js').Mail} Mail */
/** @typedef {'html' | 'text' | 'headers' | 'source' | 'structure' | 'delivery' | 'links' | 'checks'} TabName */

/** The tab that was chosen last, kept for the next message. @type {TabName} */
let lastTab = 'html';

/**
 * The right side: one message.
 *
 * @param {{
 *   place: import('./app.js').Place,
 *   version: number,
 *   allowed: readonly string[] | null,
 *   onBack: () => void,
 *   onDelete: () => void,
 *   onUnread: () => void,
 * }} props
 */
export function MessagePane({ place, version, allowed, onBack, onDelete, onUnread }) {
  const path = pathOf(place);
  const { mail, fault, checks } = useMail(path, version);
  const [isReleasing, setReleasing] = useState(false);
  const isCaught = place.kind === 'mail';
  return html`
    <div class="mail-tools flex">
      <${IconButton} icon="back" label="Back to the list" shortcut="Esc" class="back" onClick=${onBack} />
      <span class="grow"></span>
      ${
        mail &&
        html`
          ${isCaught && allowed && html`<button type="button" class="button flex" onClick=${() => setReleasing(true)}><${Icon} name="send" />Release</button>`}
          ${isCaught && html`<${IconButton} icon="unread" label="Mark unread" shortcut="u" onClick=${onUnread} />`}
          <a class="icon-button center" href=${`${path}/source?download`} download aria-label="Download .eml" title="Download .eml"><${Icon} name="download" /></a>
          ${isCaught && html`<${IconButton} icon="trash" label="Delete" shortcut="#" onClick=${onDelete} />`}
        `
      }
    </div>
    ${fault !== '' && html`<div class="welcome column grow"><span class="welcome-icon center"><${Icon} name="alert" /></span><h2>${isCaught ? 'This message is gone' : 'The preview failed'}</h2><pre class="trace" tabindex="0">${fault}</pre></div>`}
    ${mail && html`<${Message} ...${{ mail, path, version, checks }} />`}
    ${isReleasing && allowed && html`<${ReleaseDialog} id=${place.id} allowed=${allowed} onClose=${() => setReleasing(false)} />`}
  `;
}

/** Loads a mail and its checks. @param {string} path @param {number} version */
function useMail(path, version) {
  const [mail, setMail] = useState(/** @type {Mail | null} */ (null));
  const [checks, setChecks] = useState(/** @type {readonly import('./api.js').LintFinding[] | null} */ (null));
  const [fault, setFault] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    getMail(path, abort.signal)
      .then((read) => {
        setMail(read);
        setFault('');
        return getChecks(path, abort.signal);
      })
      .then(({ checks: found }) => setChecks(found))
      .catch((error) => {
        if (abort.signal.aborted) return;
        setMail(null);
        setFault(error.message);
      });
    return () => abort.abort();
  }, [path, version]);
  return { mail, checks, fault };
}

/**
 * @param {{ mail: Mail, path: string, version: number,
 *   checks: readonly import('./api.js').LintFinding[] | null }} props
 */
function Message({ mail, path, version, checks }) {
  const [chosen, setChosen] = useState(lastTab);
  const serious = checks?.filter(({ severity }) => severity !== 'info').length ?? 0;
  /** @type {readonly { readonly name: TabName, readonly label: string, readonly count?: number, readonly isWarning?: boolean }[]} */
  const tabs = [
    ...(mail.html === null ? [] : [{ name: /** @type {const} */ ('html'), label: 'HTML' }]),
    ...(mail.text === null ? [] : [{ name: /** @type {const} */ ('text'), label: 'Text' }]),
    { name: 'headers', label: 'Headers' },
    { name: 'source', label: 'Source' },
    { name: 'structure', label: 'Structure' },
    { name: 'delivery', label: 'Delivery' },
    { name: 'links', label: 'Links', count: mail.links.length },
    { name: 'checks', label: 'Checks', count: serious, isWarning: true },
  ];
  const tab = tabs.find(({ name }) => name === chosen)?.name ?? tabs[0]?.name ?? 'headers';
  /** @param {TabName} name */
  const choose = (name) => {
    lastTab = name;
    setChosen(name);
  };
  return html`
    <article class="column grow">
      <${MessageHead} mail=${mail} />
      <${Attachments} files=${mail.files} path=${path} />
      <${Tabs} tabs=${tabs} chosen=${tab} onChoose=${choose} />
      <div class=${`panel column grow panel-${tab}`} role="tabpanel" id="panel" aria-labelledby=${`tab-${tab}`} tabindex=${tab === 'html' ? undefined : 0}>
        ${!mail.isComplete && html`<p class="notice flex"><${Icon} name="alert" />This message is larger or more deeply nested than the mailbox reads; its source is complete.</p>`}
        ${tab === 'html' && html`<${HtmlView} ...${{ path, version }} remoteImages=${mail.remoteImages} subject=${mail.subject} />`}
        ${tab === 'text' && html`<${TextView} text=${mail.text ?? ''} />`}
        ${tab === 'headers' && html`<${Headers} headers=${mail.headers} />`}
        ${tab === 'source' && html`<${Source} path=${path} version=${version} size=${mail.size} />`}
        ${tab === 'structure' && html`<${Structure} tree=${mail.tree} path=${path} />`}
        ${tab === 'delivery' && html`<${Delivery} mail=${mail} />`}
        ${tab === 'links' && html`<${Links} links=${mail.links} />`}
        ${tab === 'checks' && html`<${Checks} checks=${checks} />`}
      </div>
    </article>
  `;
}

const SHOWN_PEOPLE = 8;

/**
 * The first recipients, and the others on demand.
 *
 * @param {{ label: string, people: readonly import('./format.js').Person[], unlisted: number }} props
 */
function People({ label, people, unlisted }) {
  const [isOpen, setOpen] = useState(false);
  if (people.length === 0) return null;
  const shown = isOpen ? people : people.slice(0, SHOWN_PEOPLE);
  const hidden = people.length - shown.length + unlisted;
  const names = shown.map(
    ({ name, address }, index) =>
      html`${index > 0 && ', '}<span title=${address}>${name ? html`${name} <span class="muted">${address}</span>` : address}</span>`,
  );
  const more =
    shown.length < people.length
      ? html` <button type="button" class="link" onClick=${() => setOpen(true)}>+${hidden} more</button>`
      : html` <span class="muted">and ${hidden} more, in the headers and the delivery</span>`;
  return html`<div class="people flex"><dt>${label}</dt><dd>${names}${hidden > 0 && more}</dd></div>`;
}

/** @param {{ mail: Mail }} props */
function MessageHead({ mail }) {
  return html`
    <header class="mail-head">
      <h2>${mail.subject || 'No subject'}</h2>
      <div class="mail-people flex">
        <span class="avatar center large" style=${hue(mail.from)} aria-hidden="true">${initials(mail.from)}</span>
        <dl class="grow">
          <div class="people flex">
            <dt class="visually-hidden">From</dt>
            <dd><strong>${personName(mail.from)}</strong>${mail.from?.name && html` <span class="muted">${mail.from.address}</span>`}</dd>
          </div>
          <${People} label="To" people=${mail.to} unlisted=${mail.unlisted.to} />
          <${People} label="Cc" people=${mail.cc} unlisted=${mail.unlisted.cc} />
          <${People} label="Bcc" people=${mail.bcc.map((address) => ({ name: '', address }))} unlisted=${mail.unlisted.bcc} />
        </dl>
        <time datetime=${mail.receivedAt} title=${fullTime(mail.receivedAt)}>${shortTime(mail.receivedAt)}</time>
      </div>
      ${
        (mail.tags.length > 0 || Object.keys(mail.metadata).length > 0) &&
        html`<div class="labels flex">
          ${mail.tags.map((tag) => html`<span class="tag">${tag}</span>`)}
          ${Object.entries(mail.metadata).map(([name, value]) => html`<span class="tag is-metadata"><span class="muted">${name}</span> ${value}</span>`)}
        </div>`
      }
    </header>
  `;
}

/**
 * Tabs after the ARIA pattern: Tab enters them once, arrow keys move between them.
 *
 * @param {{
 *   tabs: readonly { readonly name: TabName, readonly label: string, readonly count?: number, readonly isWarning?: boolean }[],
 *   chosen: TabName,
 *   onChoose: (name: TabName) => void,
 * }} props
 */
function Tabs({ tabs, chosen, onChoose }) {
  /** @param {KeyboardEvent} event */
  const onKey = (event) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const at = tabs.findIndex(({ name }) => name === chosen);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    onChoose(next.name);
    document.getElementById(`tab-${next.name}`)?.focus();
  };
  return html`<div class="tabs flex" role="tablist" aria-label="Views of the message" onKeyDown=${onKey}>
    ${tabs.map(
      ({ name, label, count = 0, isWarning }) => html`<button
        type="button"
        role="tab"
        id=${`tab-${name}`}
        aria-selected=${name === chosen}
        aria-controls="panel"
        tabindex=${name === chosen ? 0 : -1}
        onClick=${() => onChoose(name)}
      >
        ${label}${count > 0 && html`<span class=${`count ${isWarning ? 'tag is-warning' : ''}`}>${count}</span>`}
      </button>`,
    )}
  </div>`;
}
