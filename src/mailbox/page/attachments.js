import { getText } from './api.js';
import { byteSize } from './format.js';
import { Icon, IconButton } from './icons.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/** @typedef {import('../mail-view.ts').MailDetail['files'][number]} File */

const MAX_TEXT = 200_000;

/** How a file can be looked at. @param {File} file */
function kindOf({ mediaType, filename }) {
  if (/^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml|x-icon)$/.test(mediaType)) return 'image';
  if (mediaType.startsWith('audio/')) return 'audio';
  if (mediaType.startsWith('video/')) return 'video';
  if (mediaType === 'application/pdf') return 'pdf';
  const isText = /^(text\/|message\/)|\b(json|xml|yaml|csv|javascript)\b/.test(mediaType);
  return isText || /\.(txt|md|csv|json|ics|log|eml)$/i.test(filename ?? '') ? 'text' : 'other';
}

/** @param {string} path @param {File} file */
const urlOf = (path, file) => `${path}/parts/${file.path || 'root'}`;

/** The files of a message; one opens in place. @param {{ files: readonly File[], path: string }} props */
export function Attachments({ files, path }) {
  const [open, setOpen] = useState(/** @type {File | null} */ (null));
  if (files.length === 0) return null;
  return html`
    <ul class="files flex" aria-label="Attachments">
      ${files.map((file) => {
        const name = file.filename ?? file.contentId ?? file.mediaType;
        return html`<li class="card flex">
          <button type="button" class="file small" onClick=${() => setOpen(file)} title=${`Look at ${name}`}>
            ${kindOf(file) === 'image' ? html`<img class="thumbnail" src=${urlOf(path, file)} alt="" loading="lazy" />` : html`<span class="thumbnail center"><${Icon} name="file" /></span>`}
            <span class="file-name cut">${name}</span>
            <span>${byteSize(file.size)}${file.isInline && ' · inline'}</span>
          </button>
          <a class="icon-button center" href=${`${urlOf(path, file)}?download`} download aria-label=${`Download ${name}`} title="Download"><${Icon} name="download" /></a>
        </li>`;
      })}
    </ul>
    ${open && html`<${FileDialog} file=${open} url=${urlOf(path, open)} onClose=${() => setOpen(null)} />`}
  `;
}

/** @param {{ file: File, url: string, onClose: () => void }} props */
function FileDialog({ file, url, onClose }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [text, setText] = useState('');
  const kind = kindOf(file);
  useEffect(() => {
    element.current?.showModal();
    const left = new AbortController();
    if (kind === 'text') {
      getText(url, left.signal).then(
        (read) => setText(read.length > MAX_TEXT ? `${read.slice(0, MAX_TEXT)}\n… the rest is in the download` : read),
        () => {},
      );
    }
    return () => left.abort();
  }, [url]);
  const name = file.filename ?? file.contentId ?? file.mediaType;
  return html`<dialog
    class="file-dialog"
    ref=${element}
    aria-labelledby="file-title"
    onClose=${onClose}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === element.current && onClose()}
  >
    <div class="dialog-body">
      <header class="flex">
        <h2 class="grow" id="file-title">${name} <span class="muted">${file.mediaType}, ${byteSize(file.size)}</span></h2>
        <a class="icon-button center" href=${`${url}?download`} download aria-label=${`Download ${name}`} title="Download"><${Icon} name="download" /></a>
        <${IconButton} icon="close" label="Close" onClick=${onClose} />
      </header>
      ${kind === 'image' && html`<img class="file-view file-image" src=${url} alt=${name} />`}
      ${kind === 'audio' && html`<audio class="file-view" controls src=${url}></audio>`}
      ${kind === 'video' && html`<video class="file-view" controls src=${url}></video>`}
      ${kind === 'text' && html`<pre class="file-view" tabindex="0">${text}</pre>`}
      ${kind === 'pdf' && html`<iframe class="file-view" src=${url} title=${name}></iframe>`}
      ${kind === 'other' && html`<p class="nothing flex">There is no preview of this type. Download it to look at it.</p>`}
    </div>
  </dialog>`;
}
