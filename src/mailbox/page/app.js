import { deleteMail, deleteMails, getInfo, listen, listMails, listPreviews, setRead } from './api.js';
import { ChaosDialog, ClearDialog, HelpDialog } from './dialogs.js';
import { personName } from './format.js';
import { Sidebar } from './list.js';
import { MessagePane } from './message.js';
import { useTheme } from './theme.js';
import { html, render, useEffect, useRef, useState } from './vendor/preact.js';
import { Welcome } from './welcome.js';

/** @typedef {import('./api.js').MailSummary} MailSummary */
/** @typedef {{ kind: 'mail' | 'preview', id: string }} Place */

/** What the URL says is open. @returns {Place | null} */
function readPlace() {
  const [, kind, id] = /^#\/?(preview\/)?(.+)$/.exec(location.hash) ?? [];
  try {
    return id ? { kind: kind ? 'preview' : 'mail', id: decodeURIComponent(id) } : null;
  } catch {
    return null; // typed by hand, with a malformed % escape
  }
}

/** @param {Place | null} place */
function goTo(place) {
  location.hash =
    place === null ? '' : `#/${place.kind === 'preview' ? 'preview/' : ''}${encodeURIComponent(place.id)}`;
}

/** The mails in the list, kept up to date. */
function useMails() {
  const [query, setQuery] = useState('');
  const [listing, setListing] = useState(
    /** @type {{ mails: readonly MailSummary[], total: number, unknownTerms: readonly string[], isLoaded: boolean }} */ ({
      mails: [],
      total: 0,
      unknownTerms: [],
      isLoaded: false,
    }),
  );
  const [unread, setUnread] = useState(0);
  const [size, setSize] = useState(0);
  const request = useRef(new AbortController());
  const reload = () => {
    request.current.abort();
    request.current = new AbortController();
    listMails(query, undefined, request.current.signal).then(
      ({ messages, total, unread: count, unknownTerms }) => {
        setListing({ mails: messages, total, unknownTerms, isLoaded: true });
        if (query === '') {
          setUnread(count);
          setSize(total);
        }
      },
      () => {}, // the next change reloads
    );
  };
  useEffect(() => {
    const timer = setTimeout(reload, query === '' ? 0 : 80);
    return () => clearTimeout(timer);
  }, [query]);

  /** @param {import('./api.js').MailboxChange} change */
  const apply = ({ added, removed, changed, total, unread: count }) => {
    setUnread(count);
    setSize(total);
    if (query !== '' || added.length >= 200) {
      reload();
      return;
    }
    const gone = new Set(removed);
    const replaced = new Map(changed.map((mail) => [mail.id, mail]));
    setListing(({ mails }) => {
      const known = new Set(mails.map(({ id }) => id));
      const fresh = added.filter(({ id }) => !known.has(id)).toReversed();
      const kept = [...fresh, ...mails].filter(({ id }) => !gone.has(id)).map((mail) => replaced.get(mail.id) ?? mail);
      return { mails: kept, total, unknownTerms: [], isLoaded: true };
    });
  };

  const loadMore = () => {
    const last = listing.mails.at(-1);
    if (last === undefined || listing.mails.length >= listing.total) return;
    listMails(query, last.id).then(
      ({ messages }) =>
        setListing((current) =>
          current.mails.at(-1)?.id === last.id ? { ...current, mails: [...current.mails, ...messages] } : current,
        ),
      () => {},
    );
  };
  return { query, setQuery, ...listing, unread, size, apply, reload, loadMore };
}

/** The mail or preview whose row has focus. */
function focusedId() {
  const row = document.activeElement?.closest('.row');
  return row instanceof HTMLElement ? (row.dataset['id'] ?? null) : null;
}

/** Whether arrow keys move in the list; elsewhere they scroll, or switch tabs. @param {EventTarget | null} target */
function isInList(target) {
  return target === document.body || (target instanceof Element && target.closest('.list') !== null);
}

function App() {
  const [theme, toggleTheme] = useTheme();
  const mails = useMails();
  const [place, setPlace] = useState(readPlace);
  const [info, setInfo] = useState(/** @type {import('./api.js').Info | null} */ (null));
  const [previews, setPreviews] = useState(/** @type {readonly string[]} */ ([]));
  const [version, setVersion] = useState(0);
  const [isOnline, setOnline] = useState(true);
  const [dialog, setDialog] = useState(/** @type {'help' | 'chaos' | 'clear' | 'release' | null} */ (null));
  const [announcement, setAnnouncement] = useState('');
  const [folder, setFolder] = useState(
    /** @type {'mails' | 'previews'} */ (place?.kind === 'preview' ? 'previews' : 'mails'),
  );

  /** For the listeners below, which outlive a rendering. */
  const latestMails = useRef(mails);
  latestMails.current = mails;

  useEffect(() => {
    const follow = () => {
      const next = readPlace();
      setPlace(next);
      if (next !== null) setFolder(next.kind === 'preview' ? 'previews' : 'mails');
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);

  useEffect(() => {
    const readInfo = () => {
      getInfo().then(setInfo, () => {});
    };
    const readPreviews = () => {
      listPreviews().then(
        ({ previews: names }) => setPreviews(names),
        () => {},
      );
    };
    return listen({
      onChange: (change) => {
        latestMails.current.apply(change);
        const newest = change.added.at(-1);
        if (newest) setAnnouncement(`New message from ${personName(newest.from)}: ${newest.subject}`);
      },
      onPreviews: () => {
        readPreviews();
        setVersion((count) => count + 1);
      },
      onChaos: (chaos) => setInfo((current) => current && { ...current, chaos }),
      onConnection: (isOpen) => {
        setOnline(isOpen);
        if (!isOpen) return;
        // Events from before the connection are lost.
        latestMails.current.reload();
        readInfo();
        readPreviews();
      },
    });
  }, []);

  const openId = place?.kind === 'mail' ? place.id : null;
  const openMail = mails.mails.find(({ id }) => id === openId);
  useEffect(() => {
    if (openMail && !openMail.isRead) setRead(openMail.id, true).catch(() => {});
    return undefined;
  }, [openMail?.id]);
  useEffect(() => {
    document.title = mails.unread > 0 ? `(${mails.unread}) Mailbox` : 'Mailbox';
    return undefined;
  }, [mails.unread]);

  const names = folder === 'previews' ? previews : mails.mails.map(({ id }) => id);
  /** @param {number} step */
  const move = (step) => {
    const at = names.indexOf(focusedId() ?? place?.id ?? '');
    const next = names[at === -1 ? (step > 0 ? 0 : names.length - 1) : at + step];
    if (next === undefined) return;
    goTo({ kind: folder === 'previews' ? 'preview' : 'mail', id: next });
    requestAnimationFrame(() => {
      const row = document.querySelector(`.row[data-id="${CSS.escape(next)}"]`); // not yet marked as open
      row?.scrollIntoView({ block: 'nearest' });
      if (row instanceof HTMLElement) row.focus({ preventScroll: true });
    });
    if (step > 0 && at + step > names.length - 10) mails.loadMore();
  };
  /** @param {string | null} id */
  const remove = (id) => {
    if (id === null || folder === 'previews') return;
    const at = names.indexOf(id);
    const next = names[at + 1] ?? names[at - 1];
    deleteMail(id).then(
      () => setAnnouncement('Message deleted'),
      () => {},
    );
    goTo(next === undefined || at === -1 ? null : { kind: 'mail', id: next });
  };
  const markUnread = () => {
    if (openId === null) return;
    setRead(openId, false).catch(() => {});
    goTo(null);
  };

  /** @type {Record<string, () => void>} */
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    '/': () => {
      const field = document.querySelector('#search');
      if (field instanceof HTMLInputElement) field.select();
    },
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Delete: () => remove(focusedId() ?? openId),
    '#': () => remove(openId),
    u: markUnread,
    d: toggleTheme,
    '?': () => setDialog('help'),
    Escape: () => goTo(null),
  };
  // A single listener: a key pressed between a rendering and its effects acts on that rendering.
  const latestKeys = useRef(keys);
  latestKeys.current = keys;
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      const { target } = event;
      const isTyping = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping || document.querySelector('dialog[open]')) return;
      if (event.key.startsWith('Arrow') && !isInList(target)) return;
      const action = latestKeys.current[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const close = () => setDialog(null);
  return html`
    <div class=${`app ${place === null ? 'shows-list' : 'shows-mail'}`}>
      <${Sidebar}
        ...${{ mails, previews, place, folder, setFolder, theme, toggleTheme, isOnline, info }}
        openDialog=${setDialog}
      />
      <main class="column" aria-label="Message">
        ${
          place === null
            ? html`<${Welcome} info=${info} hasMails=${mails.size > 0} folder=${folder} />`
            : html`<${MessagePane}
                key=${`${place.kind}/${place.id}`}
                place=${place}
                version=${place.kind === 'preview' ? version : 0}
                allowed=${info?.release ?? null}
                onBack=${() => goTo(null)}
                onDelete=${() => remove(openId)}
                onUnread=${markUnread}
              />`
        }
      </main>
    </div>
    <div class="visually-hidden" role="status">${announcement}</div>
    ${dialog === 'help' && html`<${HelpDialog} onClose=${close} />`}
    ${dialog === 'chaos' && info && html`<${ChaosDialog} settings=${info.chaos} onClose=${close} />`}
    ${
      dialog === 'clear' &&
      html`<${ClearDialog}
        count=${mails.total}
        query=${mails.query}
        onClear=${() => {
          deleteMails(mails.query).then(
            () => goTo(null),
            () => {},
          );
        }}
        onClose=${close}
      />`
    }
  `;
}

const root = document.querySelector('#app');
if (root) render(html`<${App} />`, root);
