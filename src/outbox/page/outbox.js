import { Dialog } from '../../mailbox/page/dialog.js';
import { Icon, IconButton } from '../../mailbox/page/icons.js';
import { useTheme } from '../../mailbox/page/theme.js';
import { html, render, useEffect, useRef, useState } from '../../mailbox/page/vendor/preact.js';
import { getOverview, listMails } from './calls.js';
import { MailPane } from './mail.js';
import { MailList } from './mails.js';
import { Overview } from './overview.js';

/** @typedef {import('./calls.js').Row} Row */
/** @typedef {import('./calls.js').Filter} Filter */
/** @typedef {import('./calls.js').Overview} Data */
/** @typedef {{ readonly rows: readonly Row[], readonly isLoaded: boolean, readonly isComplete: boolean, readonly fault: string }} Listing */

/** How often it asks what has changed, in milliseconds. */
const POLL_MS = 4000;
const PAGE = 100;
/** A list that took longer to find is not asked for again by itself, in milliseconds. */
const SLOW_MS = 300;

/** What the URL says is open: a mail's id, `mails` for the list on a phone, nothing for the overview. */
const readPlace = () => /^#\/(\w+)$/.exec(location.hash)?.[1] ?? '';

/** @param {string} place */
function goTo(place) {
  location.hash = place === '' ? '' : `#/${place}`;
}

/** The outbox as a whole, asked for again and again while the page is seen. */
function useOverview() {
  const [data, setData] = useState(/** @type {Data | null} */ (null));
  const [fault, setFault] = useState('');
  const [version, setVersion] = useState(0);
  const samples = useRef(/** @type {Data['samples']} */ ([]));
  const reload = () =>
    getOverview(samples.current.at(-1)?.[0] ?? 0).then(
      (next) => {
        const oldest = next.now - 3_600_000;
        samples.current = [...samples.current, ...next.samples].filter(([at]) => at > oldest);
        setData({ ...next, samples: samples.current });
        setFault('');
        setVersion((count) => count + 1);
      },
      (error) => setFault(error.message),
    );
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void reload();
    };
    look();
    const timer = setInterval(look, POLL_MS);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  return { data, fault, version, reload };
}

/** The mails that fit the filter. @param {Filter} filter @param {string} counts changes when something has */
function useMails(filter, counts) {
  const [listing, setListing] = useState(
    /** @type {Listing} */ ({ rows: [], isLoaded: false, isComplete: true, fault: '' }),
  );
  const request = useRef(new AbortController());
  const tookMs = useRef(0);
  const load = () => {
    request.current.abort();
    request.current = new AbortController();
    const { signal } = request.current;
    const since = performance.now();
    return listMails(filter, '', signal).then(
      ({ mails }) => {
        tookMs.current = performance.now() - since;
        setListing({ rows: mails, isLoaded: true, isComplete: mails.length < PAGE, fault: '' });
      },
      (error) => signal.aborted || setListing((current) => ({ ...current, isLoaded: true, fault: error.message })),
    );
  };
  useEffect(() => {
    const timer = setTimeout(load, filter.text === '' ? 0 : 150);
    return () => clearTimeout(timer);
  }, [filter.state, filter.lane, filter.text]);
  useEffect(() => {
    const isLong = listing.rows.length > PAGE || tookMs.current > SLOW_MS;
    if (listing.isLoaded && !isLong) void load();
    return undefined;
  }, [counts]);
  const loadMore = () => {
    const last = listing.rows.at(-1);
    if (last === undefined || listing.isComplete) return;
    listMails(filter, last.id, request.current.signal).then(
      ({ mails }) =>
        setListing((current) =>
          current.rows.at(-1)?.id === last.id
            ? { ...current, rows: [...current.rows, ...mails], isComplete: mails.length < PAGE }
            : current,
        ),
      () => {}, // scrolling asks again
    );
  };
  return { ...listing, load, loadMore };
}

function App() {
  const [theme, toggleTheme] = useTheme();
  const { data, fault, version, reload } = useOverview();
  const [filter, setFilterTo] = useState(/** @type {Filter} */ ({ state: '', lane: '', text: '' }));
  const mails = useMails(filter, JSON.stringify(data?.counts.map(({ lane, state, count }) => [lane, state, count])));
  const [place, setPlace] = useState(readPlace);
  const [selected, setSelected] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  const [announcement, announce] = useState({ text: '', count: 0 });
  const [isHelping, setHelping] = useState(false);
  const openId = place === '' || place === 'mails' ? null : place;

  useEffect(() => {
    const follow = () => setPlace(readPlace());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const bad = data?.counts.filter(({ state }) => state === 'in-doubt').reduce((sum, { count }) => sum + count, 0) ?? 0;
  useEffect(() => {
    document.title = bad > 0 ? `(${bad}) Outbox` : 'Outbox';
    return undefined;
  }, [bad]);

  /** @param {Partial<Filter>} change */
  const setFilter = (change) => {
    setSelected(new Set());
    setFilterTo((current) => ({ ...current, ...change }));
  };
  /** @param {readonly string[]} ids @param {boolean} isSelected */
  const select = (ids, isSelected) =>
    setSelected((current) => {
      const next = new Set(current);
      for (const id of ids) isSelected ? next.add(id) : next.delete(id);
      return next;
    });
  /** @param {string} text */
  const onDone = (text) => {
    announce(({ count }) => ({ text, count: count + 1 }));
    setSelected(new Set());
    void reload();
    void mails.load();
  };
  /** @param {number} step */
  const move = (step) => {
    const ids = mails.rows.map(({ id }) => id);
    const focused = document.activeElement?.closest('.pick')?.querySelector('.row');
    const at = ids.indexOf((focused instanceof HTMLElement ? focused.dataset['id'] : openId) ?? '');
    const next = ids[at === -1 ? (step > 0 ? 0 : ids.length - 1) : at + step];
    if (next === undefined) return;
    if (openId !== null) goTo(next);
    const row = document.querySelector(`.row[data-id="${next}"]`);
    row?.scrollIntoView({ block: 'nearest' });
    if (row instanceof HTMLElement) row.focus({ preventScroll: true });
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    '/': () => {
      const field = document.querySelector('#search');
      if (field instanceof HTMLInputElement) field.select();
    },
    x: () => {
      const box = document.activeElement?.closest('.pick')?.querySelector('input');
      if (box instanceof HTMLInputElement) box.click();
    },
    o: () => goTo(''),
    d: toggleTheme,
    '?': () => setHelping(true),
    Escape: () => goTo(''),
  };
  const latestKeys = useRef(keys);
  latestKeys.current = keys;
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const listener = (event) => {
      const { target } = event;
      const isTyping =
        (target instanceof HTMLInputElement && target.type !== 'checkbox') || target instanceof HTMLSelectElement;
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping || document.querySelector('dialog[open]')) return;
      const action = latestKeys.current[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);

  const head = { theme, toggleTheme, isReadOnly: data?.isReadOnly ?? false, openHelp: () => setHelping(true) };
  return html`
    <main class=${`app outbox ${place === 'mails' ? 'shows-list' : 'shows-mail'}`}>
      <section class="sidebar column" aria-label="Mails">
        <${Head} ...${head} place="mails" />
        <${MailList} ...${{ data, mails, filter, setFilter, openId, selected, select, onDone }} />
      </section>
      <section class="pane column" aria-label=${openId === null ? 'Overview' : 'Mail'}>
        ${openId === null && html`<div class="narrow-only"><${Head} ...${head} place="" /></div>`}
        ${fault !== '' && html`<p class="notice flex" role="alert"><${Icon} name="alert" /><span>${data === null ? '' : 'Not up to date: '}${fault} It is asked again.</span></p>`}
        ${
          openId !== null
            ? html`<${MailPane} key=${openId} id=${openId} version=${version} isReadOnly=${data?.isReadOnly ?? true} onBack=${() => goTo(matchMedia('(max-width: 760px)').matches ? 'mails' : '')} onDone=${onDone} />`
            : data !== null &&
              html`<${Overview} data=${data} show=${(/** @type {Partial<Filter>} */ change) => {
                setFilter({ state: '', lane: '', text: '', ...change });
                goTo('mails');
              }} />`
        }
      </section>
    </main>
    <div role="status">${announcement.text !== '' && html`<div key=${announcement.count} class="toast card">${announcement.text}</div>`}</div>
    ${isHelping && html`<${HelpDialog} onClose=${() => setHelping(false)} />`}
  `;
}

/**
 * What is above both columns where there is room for one, else above the list alone.
 *
 * @param {{ place: string, theme: 'light' | 'dark', toggleTheme: () => void, isReadOnly: boolean, openHelp: () => void }} props
 */
function Head({ place, theme, toggleTheme, isReadOnly, openHelp }) {
  return html`
    <header class="sidebar-head flex">
      <h1 class="flex grow"><img src="?file=outbox.svg" alt="" width="22" height="22" />Outbox</h1>
      ${isReadOnly && html`<span class="tag is-metadata">read only</span>`}
      <${IconButton} icon=${theme === 'dark' ? 'sun' : 'moon'} label=${theme === 'dark' ? 'Light' : 'Dark'} shortcut="d" onClick=${toggleTheme} />
      <${IconButton} icon="help" label="Help" shortcut="?" onClick=${openHelp} />
    </header>
    <nav class="places segments" aria-label="Places">
      ${[
        ['', 'Overview'],
        ['mails', 'Mails'],
      ].map(
        ([to, name]) =>
          html`<a class="grow center" href=${`#/${to}`} aria-current=${place === to ? 'page' : undefined}>${name}</a>`,
      )}
    </nav>
  `;
}

const KEYS = [
  ['j / k', 'next, previous mail'],
  ['Enter', 'open it'],
  ['x', 'select it'],
  ['/', 'search'],
  ['o / Esc', 'overview'],
  ['d', 'light or dark'],
];

/** @param {{ onClose: () => void }} props */
function HelpDialog({ onClose }) {
  return html`<${Dialog} title="Keyboard" onClose=${onClose}>
    <dl class="help keys">${KEYS.map(([key, meaning]) => html`<div><dt><kbd>${key}</kbd></dt><dd class="muted">${meaning}</dd></div>`)}</dl>
    <p class="muted">The search finds what is in addresses, subjects, Message-IDs and answers of servers. A worker that dies while a mail leaves leaves it in doubt; <code>docs/outbox.md</code> tells what each state means.</p>
  </${Dialog}>`;
}

const root = document.querySelector('#app');
if (root) render(html`<${App} />`, root);
