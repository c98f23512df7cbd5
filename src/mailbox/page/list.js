import { EndOfList } from './end-of-list.js';
import { fullTime, hue, initials, personName, plural, shortTime } from './format.js';
import { Icon, IconButton } from './icons.js';
import { html } from './vendor/preact.js';

/** @typedef {import('./api.js').MailSummary} MailSummary */

/**
 * The left side: search, folders and the list.
 *
 * @param {{
 *   mails: { mails: readonly MailSummary[], total: number, unknownTerms: readonly string[], isLoaded: boolean, unread: number, size: number, query: string,
 *     setQuery: (query: string) => void, loadMore: () => void },
 *   previews: readonly string[],
 *   place: import('./app.js').Place | null,
 *   folder: 'mails' | 'previews',
 *   setFolder: (folder: 'mails' | 'previews') => void,
 *   theme: 'light' | 'dark',
 *   toggleTheme: () => void,
 *   isOnline: boolean,
 *   info: import('./api.js').Info | null,
 *   openDialog: (name: 'help' | 'chaos' | 'clear') => void,
 * }} props
 */
export function Sidebar({ mails, previews, place, folder, setFolder, theme, toggleTheme, isOnline, info, openDialog }) {
  const isChaotic = info !== null && info.chaos.refuse + info.chaos.drop + info.chaos.delay > 0;
  return html`
    <div class="sidebar column">
      <header class="sidebar-head flex">
        <h1 class="flex grow"><img src="/page/icon.svg" alt="" width="22" height="22" />Mailbox</h1>
          <${IconButton} icon="bolt" label=${isChaotic ? 'Chaos is on' : 'Chaos'} class=${isChaotic ? 'is-on' : ''} onClick=${() => openDialog('chaos')} />
          <${IconButton} icon=${theme === 'dark' ? 'sun' : 'moon'} label=${theme === 'dark' ? 'Light' : 'Dark'} shortcut="d" onClick=${toggleTheme} />
          <${IconButton} icon="help" label="Keyboard and API" shortcut="?" onClick=${() => openDialog('help')} />
      </header>
      <div class="folders segments" role="tablist" aria-label="Folders">
        ${['mails', 'previews'].map(
          (name) => html`<button
            type="button"
            role="tab"
            id=${`folder-${name}`}
            class="grow"
            aria-selected=${folder === name}
            aria-controls="list"
            onClick=${() => setFolder(name === 'mails' ? 'mails' : 'previews')}
          >
            ${name === 'mails' ? 'Caught' : 'Previews'}
            <span class="count">${name === 'mails' ? mails.size.toLocaleString() : previews.length}</span>
          </button>`,
        )}
      </div>
      ${folder === 'mails' ? html`<${MailList} ...${{ mails, place, isOnline, openDialog }} />` : html`<${PreviewList} ...${{ previews, place }} />`}
    </div>
  `;
}

/** @param {Pick<Parameters<typeof Sidebar>[0], 'mails' | 'place' | 'isOnline' | 'openDialog'>} props */
function MailList({ mails, place, isOnline, openDialog }) {
  const { query, setQuery, total, unread, unknownTerms } = mails;
  return html`
    <div class="search">
      <${Icon} name="search" />
      <input
        id="search"
        class="input"
        type="search"
        aria-label="Search mails"
        placeholder="Search, or from: to: tag: has:"
        autocomplete="off"
        spellcheck="false"
        value=${query}
        onInput=${(/** @type {InputEvent} */ event) => {
          if (event.target instanceof HTMLInputElement) setQuery(event.target.value);
        }}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key !== 'Escape' || !(event.target instanceof HTMLInputElement)) return;
          setQuery('');
          event.target.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
    <div class="list-head flex small">
      <span>
        ${
          !isOnline
            ? html`<span class="fault">Not connected, trying again…</span>`
            : query
              ? plural(total, 'match', 'matches')
              : unread > 0
                ? `${unread.toLocaleString()} unread`
                : total > 0
                  ? 'All read'
                  : 'Waiting for mail'
        }
      </span>
      ${total > 0 && html`<button type="button" class="link" onClick=${() => openDialog('clear')}>${query ? 'Delete these' : 'Clear all'}</button>`}
    </div>
    <div class="list grow" id="list" role="tabpanel" aria-labelledby="folder-mails">
      ${query && unknownTerms.length > 0 && html`<p class="notice flex"><${Icon} name="info" />${unknownTerms.join(', ')}: looked for as text. Fields are from: to: subject: tag: has:attachment is:unread is:read.</p>`}
      ${mails.isLoaded && mails.mails.length === 0 && html`<p class="nothing">${query ? 'Nothing fits this search.' : 'Nothing caught yet.'}</p>`}
      <ul>
        ${mails.mails.map((mail) => html`<${MailRow} key=${mail.id} mail=${mail} isOpen=${place?.kind === 'mail' && place.id === mail.id} />`)}
      </ul>
      <${EndOfList} onReach=${mails.loadMore} count=${mails.mails.length} isComplete=${mails.mails.length >= total} />
    </div>
  `;
}

/** @param {{ mail: MailSummary, isOpen: boolean }} props */
function MailRow({ mail, isOpen }) {
  const recipients = mail.envelope.to.length > 0 ? mail.envelope.to : mail.to.map(({ address }) => address);
  const [first = 'nobody', ...others] = recipients;
  return html`
    <li>
      <a class=${`row flex ${mail.isRead ? '' : 'is-unread'}`} href=${`#/${mail.id}`} data-id=${mail.id} aria-current=${isOpen ? 'true' : undefined}>
        <span class="avatar center" style=${hue(mail.from)} aria-hidden="true">${initials(mail.from)}</span>
        <span class="column grow">
          <span class="flex">
            <span class="who cut">${personName(mail.from)}</span>
            <span class="to small cut grow">to ${first}${others.length > 0 && ` +${others.length}`}</span>
            ${!mail.isRead && html`<span class="visually-hidden">unread</span>`}
            ${mail.attachments > 0 && html`<span class="small" title=${plural(mail.attachments, 'attachment')}><${Icon} name="clip" /></span>`}
            <time datetime=${mail.receivedAt} title=${fullTime(mail.receivedAt)}>${shortTime(mail.receivedAt)}</time>
          </span>
          <span class="flex">
            <span class="cut grow"><span class="subject">${mail.subject || 'No subject'}</span> <span class="small">${mail.snippet}</span></span>
            ${mail.tags.slice(0, 2).map((tag) => html`<span class="tag">${tag}</span>`)}
          </span>
        </span>
      </a>
    </li>
  `;
}

/** @param {Pick<Parameters<typeof Sidebar>[0], 'previews' | 'place'>} props */
function PreviewList({ previews, place }) {
  return html`
    <div class="list grow" id="list" role="tabpanel" aria-labelledby="folder-previews">
      ${
        previews.length === 0 &&
        html`<p class="nothing">
          A file under <code>emails/</code> that exports <code>preview()</code> is listed here, and rendered again at each
          change.
        </p>`
      }
      <ul>
        ${previews.map((name) => {
          const isOpen = place?.kind === 'preview' && place.id === name;
          return html`<li key=${name}>
            <a class="row flex" href=${`#/preview/${encodeURIComponent(name)}`} data-id=${name} aria-current=${isOpen ? 'true' : undefined}>
              <${Icon} name="file" /><span class="subject cut">${name}</span>
            </a>
          </li>`;
        })}
      </ul>
    </div>
  `;
}
