// @ts-check

/**
 * A room of src: what it is, what it may import, and from where it may import types only.
 *
 * @typedef {{ what: string, may: readonly string[], types?: readonly string[], alone?: boolean }} Room
 */

const BEGIN = '<!-- Written by `npm run architecture -- --write`, from the table in scripts/lib/rooms.js. -->\n\n';
const END = '\n<!-- End of what is written. -->';

/**
 * A page with the table of rooms in it, between the two comments that mark its place.
 *
 * @param {string} page
 * @param {Readonly<Record<string, Room>>} rooms
 * @returns {string}
 */
export function withRoomTable(page, rooms) {
  const start = page.indexOf(BEGIN);
  const end = page.indexOf(END, start);
  if (start < 0 || end < 0) throw new Error('the page has no place for the table of rooms');
  const rows = Object.entries(rooms).map(([name, { what, may, types = [] }]) => {
    const imports = [...may.map(code), ...types.map((each) => `types of ${code(each)}`)];
    return `| ${code(name)} | ${what} | ${imports.join(', ') || 'nothing'} |\n`;
  });
  return `${page.slice(0, start)}${BEGIN}| Room | | Imports |\n|---|---|---|\n${rows.join('')}${page.slice(end)}`;
}

/** @param {string} text */
function code(text) {
  return `\`${text}\``;
}
