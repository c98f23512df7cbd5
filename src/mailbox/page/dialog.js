import { IconButton } from './icons.js';
import { html, useEffect, useRef } from './vendor/preact.js';

/**
 * A modal dialog.
 *
 * @param {{ title: unknown, tools?: unknown, class?: string, onClose: () => void, children?: unknown }} props
 */
export function Dialog({ title, tools, class: name, onClose, children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    element.current?.showModal();
    return undefined;
  }, []);
  return html`<dialog
    class=${name}
    ref=${element}
    aria-labelledby="dialog-title"
    onClose=${onClose}
    onClick=${(/** @type {MouseEvent} */ event) => event.target === element.current && onClose()}
  >
    <div class="dialog-body">
      <header class="flex"><h2 class="grow" id="dialog-title">${title}</h2>${tools}<${IconButton} icon="close" label="Close" onClick=${onClose} /></header>
      ${children}
    </div>
  </dialog>`;
}
