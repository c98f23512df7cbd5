import { getText } from './api.js';
import { Dialog } from './dialog.js';
import { byteSize } from './format.js';
import { Icon } from './icons.js';
import { html, useEffect, useState } from './vendor/preact.js';

/** @typedef {import('../../mime/read/mail-view.ts').MailDetail['files'][number]} File */

const MAX_TEXT = 200_000;

/** How a file is shown. @param {File} file */
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

/** @param {File} file */
const nameOf = (file) => file.filename ?? file.contentId ?? file.mediaType;

/** @param {{ url: string, name: string }} props */
const DownloadLink = ({ url, name }) =>
  html`<a class="icon-button center" href=${`${url}?download`} download aria-label=${`Download ${name}`} title="Download"><${Icon} name="download" /></a>`;

/** The files of a message; one can be opened at a time. @param {{ files: readonly File[], path: string }} props */
export function Attachments({ files, path }) {
  const [open, setOpen] = useState(/** @type {File | null} */ (null));
  if (files.length === 0) return null;
  return html`
    <ul class="files flex" aria-label="Attachments">
      ${files.map((file) => {
        const name = nameOf(file);
        return html`<li class="card flex">
          <button type="button" class="file small" onClick=${() => setOpen(file)} title=${`Open ${name}`}>
            ${kindOf(file) === 'image' ? html`<img class="thumbnail" src=${urlOf(path, file)} alt="" loading="lazy" />` : html`<span class="thumbnail center"><${Icon} name="file" /></span>`}
            <span class="file-name cut">${name}</span>
            <span>${byteSize(file.size)}${file.isInline && ' · inline'}</span>
          </button>
          <${DownloadLink} url=${urlOf(path, file)} name=${name} />
        </li>`;
      })}
    </ul>
    ${open && html`<${FileDialog} file=${open} url=${urlOf(path, open)} onClose=${() => setOpen(null)} />`}
  `;
}

/** @param {{ file: File, url: string, onClose: () => void }} props */
function FileDialog({ file, url, onClose }) {
  const [text, setText] = useState('');
  const kind = kindOf(file);
  useEffect(() => {
    const abort = new AbortController();
    if (kind === 'text') {
      getText(url, abort.signal).then(
        (read) => setText(read.length > MAX_TEXT ? `${read.slice(0, MAX_TEXT)}\n… the rest is in the download` : read),
        () => {},
      );
    }
    return () => abort.abort();
  }, [url]);
  const name = nameOf(file);
  return html`<${Dialog}
    class="file-dialog"
    title=${html`${name} <span class="muted">${file.mediaType}, ${byteSize(file.size)}</span>`}
    tools=${html`<${DownloadLink} url=${url} name=${name} />`}
    onClose=${onClose}
  >
      ${kind === 'image' && html`<img class="file-view file-image" src=${url} alt=${name} />`}
      ${kind === 'audio' && html`<audio class="file-view" controls src=${url}></audio>`}
      ${kind === 'video' && html`<video class="file-view" controls src=${url}></video>`}
      ${kind === 'text' && html`<pre class="file-view" tabindex="0">${text}</pre>`}
      ${kind === 'pdf' && html`<iframe class="file-view" src=${url} title=${name}></iframe>`}
      ${kind === 'other' && html`<p class="nothing flex">There is no preview of this type. Download it to see it.</p>`}
  </${Dialog}>`;
}
