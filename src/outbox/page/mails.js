import { EndOfList } from '../../mailbox/page/end-of-list.js';
import { fullTime, plural, shortTime } from '../../mailbox/page/format.js';
import { Icon } from '../../mailbox/page/icons.js';
import { html } from '../../mailbox/page/vendor/preact.js';
import { Decisions } from './decisions.js';
import { STATES, short, span } from './words.js';

/** @typedef {import('./calls.js').Row} Row */
/** @typedef {import('./calls.js').Filter} Filter */
/** @typedef {import('./calls.js').Overview} Overview */

/**
 * Search, filters and the list.
 *
 * @param {{
 *   data: Overview | null,
 *   mails: { readonly rows: readonly Row[], readonly isLoaded: boolean, readonly isComplete: boolean, readonly fault: string, readonly loadMore: () => void },
 *   filter: Filter,
 *   setFilter: (change: Partial<Filter>) => void,
 *   openId: string | null,
 *   selected: ReadonlySet<string>,
 *   select: (ids: readonly string[], isSelected: boolean) => void,
 *   onDone: (text: string) => void,
 * }} props
 */
export function MailList({ data, mails, filter, setFilter, openId, selected, select, onDone }) {
  const { rows, isLoaded, isComplete, fault } = mails;
  const canDecide = data !== null && !data.isReadOnly;
  const picked = rows.filter(({ id }) => selected.has(id));
  const isFiltered = filter.state !== '' || filter.lane !== '' || filter.text !== '';
  /** @param {string} state */
  const countOf = (state) =>
    (data?.counts ?? [])
      .filter((each) => (state === '' || each.state === state) && (filter.lane === '' || each.lane === filter.lane))
      .reduce((sum, { count }) => sum + count, 0);
  const states = data === null ? [] : data.states.filter((state) => countOf(state) > 0 || state === filter.state);
  const selectAll = () =>
    select(
      rows.map(({ id }) => id),
      picked.length < rows.length,
    );
  return html`
    <div class="search">
      <${Icon} name="search" />
      <input
        id="search"
        class="input"
        type="search"
        aria-label="Search mails"
        placeholder="Address, subject, Message-ID"
        autocomplete="off"
        spellcheck="false"
        value=${filter.text}
        onInput=${(/** @type {InputEvent} */ { target }) => target instanceof HTMLInputElement && setFilter({ text: target.value })}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key !== 'Escape' || !(event.target instanceof HTMLInputElement)) return;
          setFilter({ text: '' });
          event.target.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </div>
    <div class="chips flex" role="group" aria-label="State">
      ${['', ...states].map(
        (
          state,
        ) => html`<button type="button" key=${state} class=${`toggle ${state === '' ? '' : `has-dot is-${state}`}`} aria-pressed=${filter.state === state} onClick=${() => setFilter({ state })}>
          ${state === '' ? 'All' : STATES[/** @type {keyof typeof STATES} */ (state)][0]} <span class="count">${short(countOf(state))}</span>
        </button>`,
      )}
    </div>
    <div class="picked flex small">
      ${
        canDecide && rows.length > 0
          ? html`<label class="flex grow">
              <input type="checkbox" checked=${picked.length === rows.length} onChange=${selectAll} />
              ${picked.length === 0 ? `Select ${rows.length === 1 ? 'it' : `all ${rows.length.toLocaleString()} listed`}` : `${picked.length.toLocaleString()} selected`}
            </label>`
          : html`<span class="grow"></span>`
      }
      ${
        picked.length > 0
          ? html`<${Decisions} mails=${picked} onDone=${onDone} />`
          : data !== null &&
            data.lanes.length > 1 &&
            html`<select class="input" aria-label="Lane" onChange=${(/** @type {Event} */ { target }) => target instanceof HTMLSelectElement && setFilter({ lane: target.value })}>
              <option value="" selected=${filter.lane === ''}>All lanes</option>
              ${data.lanes.map((lane) => html`<option value=${lane} selected=${filter.lane === lane}>${lane}</option>`)}
            </select>`
      }
    </div>
    <div class="list grow" id="list">
      ${fault !== '' && html`<p class="notice flex" role="alert"><${Icon} name="alert" />${fault}</p>`}
      ${isLoaded && rows.length === 0 && fault === '' && html`<p class="nothing">${isFiltered ? html`No mail fits. <button type="button" class="button" onClick=${() => setFilter({ state: '', lane: '', text: '' })}>Show all</button>` : 'No mail in the outbox yet.'}</p>`}
      <ul aria-label=${plural(rows.length, 'mail')}>
        ${rows.map((row) => html`<${MailRow} key=${row.id} row=${row} isOpen=${row.id === openId} isPicked=${selected.has(row.id)} select=${canDecide ? select : null} />`)}
      </ul>
      <${EndOfList} onReach=${mails.loadMore} count=${rows.length} isComplete=${isComplete} />
    </div>
  `;
}

/** @param {{ row: Row, isOpen: boolean, isPicked: boolean, select: ((ids: readonly string[], isSelected: boolean) => void) | null }} props */
function MailRow({ row, isOpen, isPicked, select }) {
  const { id, state, lane, subject, to, others, last, createdAt, dueAt } = row;
  const wait = Date.parse(dueAt) - Date.now();
  // The state stands before it.
  const said = last === state ? '' : last.startsWith(`${state} `) ? last.slice(state.length + 1) : last;
  return html`
    <li class="pick flex">
      ${select && html`<label class="center"><input type="checkbox" aria-label=${`Select: ${subject || 'no subject'}, to ${to}`} checked=${isPicked} onChange=${() => select([id], !isPicked)} /></label>`}
      <a class="row column grow" href=${`#/${id}`} data-id=${id} aria-current=${isOpen ? 'true' : undefined}>
        <span class="flex">
          <bdi class="who cut grow">${to}${others > 0 && ` +${others.toLocaleString()}`}</bdi>
          <time datetime=${createdAt} title=${fullTime(createdAt)}>${shortTime(createdAt)}</time>
        </span>
        <span class="flex"><bdi class="subject cut grow">${subject || 'No subject'}</bdi><span class="lane small cut">${lane}</span></span>
        <span class="flex"><span class=${`state is-${state}`}>${STATES[state][0]}${state === 'queued' && wait > 0 && `, due in ${span(wait)}`}</span><bdi class="small cut grow">${said}</bdi></span>
      </a>
    </li>
  `;
}
