import { plural } from './format.js';
import { Icon } from './icons.js';
import { html, useState } from './vendor/preact.js';

const WIDTHS = /** @type {const} */ ([
  { name: 'phone', label: 'Phone, 375 pixels', icon: 'phone' },
  { name: 'tablet', label: 'Tablet, 768 pixels', icon: 'tablet' },
  { name: 'full', label: 'Full width', icon: 'desktop' },
]);

/** The choice is kept for the next message. @type {{ width: string, dark: boolean }} */
const last = { width: 'full', dark: false };

/**
 * The HTML in a sandboxed frame: no scripts, no requests, no origin.
 *
 * @param {{ path: string, version: number, remoteImages: number, subject: string }} props
 */
export function HtmlView({ path, version, remoteImages, subject }) {
  const [width, setWidth] = useState(last.width);
  const [dark, setDark] = useState(last.dark);
  const [showsRemote, setShowsRemote] = useState(false);
  last.width = width;
  last.dark = dark;
  const parameters = new URLSearchParams({
    scheme: dark ? 'dark' : 'light',
    ...(showsRemote ? { images: 'remote' } : {}),
    v: String(version),
  });
  return html`
    <div class="frame-tools flex">
      <div class="segments" role="group" aria-label="Width">
        ${WIDTHS.map(
          ({
            name,
            label,
            icon,
          }) => html`<button type="button" aria-label=${label} title=${label} aria-pressed=${width === name} onClick=${() => setWidth(name)}>
            <${Icon} name=${icon} />
          </button>`,
        )}
      </div>
      <button type="button" class="toggle flex" aria-pressed=${dark} onClick=${() => setDark(!dark)} title="As a reader in dark mode shows it">
        <${Icon} name="moon" />Dark mail
      </button>
      <span class="grow"></span>
      ${
        remoteImages > 0 &&
        html`<button type="button" class="toggle flex" aria-pressed=${showsRemote} onClick=${() => setShowsRemote(!showsRemote)} title="Your browser fetches them; nothing is fetched before you say so">
          <${Icon} name="image" />${showsRemote ? 'Remote images shown' : `${plural(remoteImages, 'remote image')} blocked · Show`}
        </button>`
      }
    </div>
    <div class=${`stage grow is-${width} ${dark ? 'is-dark' : ''}`}>
      <iframe
        key=${`${parameters}`}
        title=${`HTML of the message: ${subject}`}
        sandbox="allow-popups allow-popups-to-escape-sandbox"
        referrerpolicy="no-referrer"
        src=${`${path}/html?${parameters}`}
      ></iframe>
    </div>
  `;
}

const LINK = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]'])/g;

/** Plain text with its addresses as links. @param {{ text: string }} props */
export function TextView({ text }) {
  const pieces = text.slice(0, 500_000).split(LINK);
  return html`<pre class="text" tabindex="0" aria-label="Text">
${pieces.map((piece, index) => (index % 2 === 1 ? html`<a href=${piece} target="_blank" rel="noopener noreferrer">${piece}</a>` : piece))}</pre>`;
}
