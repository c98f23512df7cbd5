import { getText } from './api.js';
import { byteSize, fullTime } from './format.js';
import { Icon } from './icons.js';
import { html, useEffect, useState } from './vendor/preact.js';

/** @typedef {import('./api.js').Mail} Mail */
/** @typedef {import('../../mime/read/mail-view.ts').MailDetail['tree']} PartView */

/** @param {{ headers: Mail['headers'] }} props */
export function Headers({ headers }) {
  return html`<table class="facts">
    <thead class="visually-hidden"><tr><th scope="col">Header</th><th scope="col">Value</th></tr></thead>
    <tbody>
      ${headers.map(({ name, value }) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}
    </tbody>
  </table>`;
}

const MAX_SOURCE = 300_000;

/** @param {{ path: string, version: number, size: number }} props */
export function Source({ path, version, size }) {
  const [source, setSource] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    getText(`${path}/source`, abort.signal).then(setSource, () => {});
    return () => abort.abort();
  }, [path, version]);
  const end = source.search(/\r?\n\r?\n/);
  const shown = source.slice(0, MAX_SOURCE);
  return html`
    <pre class="source" tabindex="0" aria-label="Source"><span>${shown.slice(0, end === -1 ? undefined : end)}</span>${end === -1 ? '' : shown.slice(end)}</pre>
    ${source.length > MAX_SOURCE && html`<p class="notice flex"><${Icon} name="info" />The first ${byteSize(MAX_SOURCE)} of ${byteSize(size)}; the download has all of it.</p>`}
  `;
}

/** @param {{ tree: PartView, path: string }} props */
export function Structure({ tree, path }) {
  return html`<ul class="tree">${part(tree, path)}</ul>`;
}

/** @param {PartView} view @param {string} path @returns {import('./vendor/preact.js').VNode} */
function part(view, path) {
  const details = [
    view.charset,
    view.children.length === 0 && view.encoding,
    view.disposition,
    view.contentId && `cid:${view.contentId}`,
    view.children.length === 0 && byteSize(view.size),
  ].filter(Boolean);
  return html`<li>
    <div class="part flex">
      <code class=${`part-type ${view.children.length > 0 ? 'is-multipart' : ''}`}>${view.mediaType}</code>
      ${view.filename && html`<strong>${view.filename}</strong>`}
      <span class="muted">${details.join(' · ')}</span>
      ${view.children.length === 0 && html`<a class="icon-button center" href=${`${path}/parts/${view.path || 'root'}?download`} download aria-label=${`Download part ${view.path || 'root'}`} title="Download"><${Icon} name="download" /></a>`}
    </div>
    ${view.children.length > 0 && html`<ul>${view.children.map((child) => part(child, path))}</ul>`}
  </li>`;
}

/** Facts of the delivery that may not be in the headers: envelope sender and recipients, parameters. @param {{ mail: Mail }} props */
export function Delivery({ mail }) {
  const bcc = new Set(mail.bcc);
  const ways = { smtp: 'SMTP', backend: 'the mailbox backend', api: 'the API', preview: 'a preview; it was not sent' };
  return html`<table class="facts">
    <thead class="visually-hidden"><tr><th scope="col">Fact</th><th scope="col">Value</th></tr></thead>
    <tbody>
      <tr><th scope="row">Envelope from</th><td>${mail.envelope.from || html`<span class="muted">the null sender</span>`}</td></tr>
      <tr>
        <th scope="row">Envelope to</th>
        <td>${mail.envelope.to.map((address) => html`<div>${address}${bcc.has(address) && html` <span class="tag">Bcc</span>`}</div>`)}</td>
      </tr>
      <tr><th scope="row">Received</th><td>${fullTime(mail.receivedAt)}, by ${ways[mail.via]}</td></tr>
      <tr><th scope="row">Size</th><td>${mail.size.toLocaleString()} bytes</td></tr>
      ${mail.tags.length > 0 && html`<tr><th scope="row">Tags</th><td>${mail.tags.map((tag) => html`<span class="tag">${tag}</span> `)}</td></tr>`}
      ${Object.entries(mail.metadata).map(([name, value]) => html`<tr><th scope="row">${name} <span class="muted">metadata</span></th><td>${value}</td></tr>`)}
      ${Object.entries(mail.facts).map(
        ([name, value]) =>
          html`<tr><th scope="row">${name}</th><td>${typeof value === 'object' ? html`<pre>${JSON.stringify(value, null, 2)}</pre>` : String(value === '' ? 'yes' : value)}</td></tr>`,
      )}
    </tbody>
  </table>`;
}

/** @param {{ links: readonly string[] }} props */
export function Links({ links }) {
  if (links.length === 0) return html`<p class="nothing">This message links to nothing.</p>`;
  return html`<ul class="links">
    ${links.map((link) => {
      const isWeb = /^(https?|mailto|tel):/i.test(link);
      return html`<li class="flex"><span class="small"><${Icon} name="link" /></span>${isWeb ? html`<a href=${link} target="_blank" rel="noopener noreferrer">${link}</a>` : html`<span>${link} <span class="muted">not opened</span></span>`}</li>`;
    })}
  </ul>`;
}

/** @param {{ checks: readonly import('./api.js').LintFinding[] | null }} props */
export function Checks({ checks }) {
  if (checks === null) return null;
  if (checks.length === 0) return html`<p class="nothing is-good flex"><${Icon} name="check" />Nothing to mend.</p>`;
  const labels = { error: 'Broken', warning: 'Better', info: 'Worth knowing' };
  return html`<ul class="checks">
    ${checks.map(
      ({ id, severity, message, fix, places }) => html`<li class=${`check card flex is-${severity}`}>
        <${Icon} name=${severity === 'info' ? 'info' : 'alert'} />
        <div>
          <h3>${message} <code class="muted">${id}</code></h3>
          <p class="muted"><span class="visually-hidden">${labels[severity]}: </span>${fix}</p>
          ${places.length > 0 && html`<ul>${places.map((place) => html`<li><code>${place}</code></li>`)}</ul>`}
        </div>
      </li>`,
    )}
  </ul>`;
}
