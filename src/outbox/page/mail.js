import { fullTime, plural, shortTime } from '../../mailbox/page/format.js';
import { Icon, IconButton } from '../../mailbox/page/icons.js';
import { html, useEffect, useState } from '../../mailbox/page/vendor/preact.js';
import { getMail } from './calls.js';
import { Decisions } from './decisions.js';
import { EVENTS, STATES, span } from './words.js';

/** @typedef {import('./calls.js').Mail} Mail */

/**
 * One mail: what is known of it, and what happened.
 *
 * @param {{ id: string, version: number, isReadOnly: boolean, onBack: () => void, onDone: (text: string) => void }} props
 */
export function MailPane({ id, version, isReadOnly, onBack, onDone }) {
  const [mail, setMail] = useState(/** @type {Mail | null} */ (null));
  const [fault, setFault] = useState('');
  useEffect(() => {
    let isLeft = false;
    getMail(id).then(
      (read) => {
        if (isLeft) return;
        setMail(read);
        setFault('');
      },
      (error) => isLeft || setFault(error.message),
    );
    return () => {
      isLeft = true;
    };
  }, [id, version]);
  return html`
    <h1 class="visually-hidden narrow-only">Outbox</h1>
    <div class="mail-tools flex">
      <${IconButton} icon="back" label="Back" shortcut="Esc" class="back" onClick=${onBack} />
      <span class="grow"></span>
      ${mail && !isReadOnly && html`<${Decisions} mails=${[mail]} onDone=${onDone} />`}
    </div>
    ${fault !== '' && html`<div class="welcome column grow"><span class="welcome-icon center"><${Icon} name="alert" /></span><h2>${mail ? 'Not up to date' : 'It cannot be shown'}</h2><p>${fault}</p></div>`}
    ${mail && html`<${Details} mail=${mail} />`}
  `;
}

/** @param {{ mail: Mail }} props */
function Details({ mail }) {
  const [name, meaning] = STATES[mail.state];
  /** @type {readonly (readonly [string, unknown])[]} */
  const facts = [
    ['Message-ID', mail.messageId ?? 'each recipient’s mail has one of its own'],
    ['From', mail.from],
    ['Lane', `${mail.lane}${mail.priority === 0 ? '' : `, priority ${mail.priority}`}`],
    ...(mail.orderKey === null ? [] : [/** @type {const} */ (['Order key', mail.orderKey])]),
    ...(mail.idempotencyKey === null ? [] : [/** @type {const} */ (['Idempotency key', mail.idempotencyKey])]),
    ['In doubt', mail.onDoubt === 'hold' ? 'it is held until somebody decides' : 'it is sent again by itself'],
    ['Id', mail.id],
  ];
  return html`
    <article class="panel grow" tabindex="0" aria-label="Mail">
      <header class="mail-head">
        <div class="flex"><span class=${`state is-${mail.state}`}>${name}</span><span class="muted">${meaning}</span></div>
        <h2><bdi>${mail.subject || 'No subject'}</bdi></h2>
      </header>
      <section aria-label="Recipients">
        <h3>${plural(mail.recipients.length, 'recipient')}</h3>
        <ul class="recipients">
          ${mail.recipients.map(
            ({ address, status, isOpen, code, enhancedCode, response, via }) => html`<li>
              <div class="flex"><bdi class="grow">${address}</bdi><span class=${`state is-${status}`}>${status}${isOpen && status !== 'queued' ? ', tried again' : ''}</span></div>
              ${(response || code) && html`<p class="server-words">${[code, enhancedCode].filter((part) => part && !response?.includes(`${part}`)).join(' ')} ${response}</p>`}
              ${via && html`<p class="small">by ${via}</p>`}
            </li>`,
          )}
        </ul>
      </section>
      <section aria-label="What happened">
        <h3>What happened</h3>
        <ol class="timeline">
          <${Step} at=${mail.createdAt} name="Written down" />
          ${mail.events.map(({ at, what, text }) => html`<${Step} at=${at} name=${EVENTS[what] ?? what} text=${text} kind=${what} />`)}
          <${Step} at=${mail.changedAt} name=${nowOf(mail)} isLast=${true} kind=${mail.state} />
        </ol>
      </section>
      <section aria-label="Details">
        <h3>Details</h3>
        <table class="facts">${facts.map(([term, value]) => html`<tr><th scope="row">${term}</th><td><bdi>${value}</bdi></td></tr>`)}</table>
      </section>
    </article>
  `;
}

/** What is so since the latest change. @param {Mail} mail */
function nowOf({ state, dueAt, tries }) {
  const wait = Date.parse(dueAt) - Date.now();
  const tried = tries === 0 ? '' : ` after ${plural(tries, 'try', 'tries')}`;
  if (state !== 'queued') return `${STATES[state][0]}${tried}`;
  return wait > 0 ? `Queued${tried}: due in ${span(wait)}` : `Queued${tried}: due now`;
}

/** @param {{ at: string, name: string, text?: string, kind?: string, isLast?: boolean }} props */
function Step({ at, name, text, kind = '', isLast }) {
  return html`<li class=${`is-${kind} ${isLast ? 'is-last' : ''}`}>
    <div class="flex"><strong class="grow">${name}</strong><time datetime=${at} title=${fullTime(at)}>${shortTime(at)}</time></div>
    ${text && html`<p class="server-words">${text}</p>`}
  </li>`;
}
