import { html } from './vendor/preact.js';

/** Paths in a box of 24 by 24. */
const PATHS = {
  inbox:
    'M22 12h-6l-2 3h-4l-2-3H2 M5.500 5.100 2 12v6a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2v-6l-3.500-6.900A2 2 0 0 0 16.800 4H7.200a2 2 0 0 0-1.700 1.100z',
  search: 'M11 19a8 8 0 1 0 0-16 8 8 0 0 0 0 16z M21 21l-4.300-4.300',
  clip: 'M21.400 11.600 12.300 20.700a5.900 5.900 0 0 1-8.400-8.400l9.200-9.200a4 4 0 0 1 5.600 5.600l-9.200 9.200a2 2 0 0 1-2.800-2.800l8.500-8.500',
  trash:
    'M3 6h18 M8 6V4a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v2 M19 6l-1 14a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1L5 6 M10 11v6 M14 11v6',
  download: 'M12 3v12 M7 11l5 5 5-5 M4 20h16',
  unread: 'M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1z M3.500 7.500 12 13l8.500-5.500',
  send: 'M21 3 10.500 13.500 M21 3l-6.500 18-4-8.500L2 8.500z',
  back: 'M19 12H5 M11 6l-6 6 6 6',
  phone: 'M8 2h8a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H8a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2z M11 18h2',
  tablet: 'M6 2h12a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2z M11 18h2',
  desktop: 'M3 4h18a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z M8 21h8 M12 17v4',
  moon: 'M20.500 14.200A8.500 8.500 0 1 1 9.800 3.500a7 7 0 0 0 10.700 10.700z',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M12 2v2 M12 20v2 M4.900 4.900l1.400 1.400 M17.700 17.700l1.400 1.400 M2 12h2 M20 12h2 M4.900 19.100l1.400-1.400 M17.700 6.300l1.400-1.400',
  image:
    'M4 4h16a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1z M8.500 10a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3z M21 15l-5-5L6 20',
  file: 'M14 2H7a2 2 0 0 0-2 2v16a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V7z M14 2v5h5',
  bolt: 'M13 2 4 14h7l-1 8 9-12h-7z',
  help: 'M12 22a10 10 0 1 0 0-20 10 10 0 0 0 0 20z M9.200 9a2.900 2.900 0 0 1 5.600 1c0 1.900-2.800 2.600-2.800 4 M12 17.500h.01',
  check: 'M20 6 9 17l-5-5',
  alert: 'M12 3 2 20h20z M12 10v4 M12 17h.01',
  info: 'M12 22a10 10 0 1 0 0-20 10 10 0 0 0 0 20z M12 11v6 M12 7.500h.01',
  close: 'M18 6 6 18 M6 6l12 12',
  copy: 'M9 9h11a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H10a1 1 0 0 1-1-1V9z M5 15H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v1',
  eye: 'M2 12s3.500-7 10-7 10 7 10 7-3.500 7-10 7-10-7-10-7z M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  link: 'M10 14a5 5 0 0 0 7.500.5l3-3a5 5 0 0 0-7-7L12 6 M14 10a5 5 0 0 0-7.500-.5l-3 3a5 5 0 0 0 7 7L12 18',
};

/** @param {{ name: keyof typeof PATHS }} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}

/**
 * A button that shows only an icon; its name is read out and shown on hover.
 *
 * @param {{ icon: keyof typeof PATHS, label: string, shortcut?: string, pressed?: boolean, class?: string, onClick: () => void }} props
 */
export function IconButton({ icon, label, shortcut, pressed, class: extra = '', onClick }) {
  const title = shortcut ? `${label} (${shortcut})` : label;
  return html`<button type="button" class="icon-button center ${extra}" aria-label=${label} title=${title} aria-pressed=${pressed} onClick=${onClick}>
    <${Icon} name=${icon} />
  </button>`;
}
