import { UsageError } from '../failure.ts';

/** A template filled with the cells of a row. */
export type Merge = (cells: readonly string[]) => string;

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/;
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for HTML content and attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** The columns of a CSV file, and which of them the mail uses. */
export class Columns {
  readonly #used = new Set<number>();
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /**
   * Compiles a template that contains `{{column}}`.
   *
   * @param where what errors call the template
   * @throws {UsageError} when there is no such column
   */
  compile(where: string, template: string, encode: (text: string) => string = (text) => text): Merge {
    const parts = template.split(PLACEHOLDER); // texts and names alternate
    const columns = parts.map((part, at) => (at % 2 === 0 ? -1 : this.#find(where, part)));
    return (cells) => parts.map((part, at) => (at % 2 === 0 ? part : encode(cells[columns[at] ?? 0] ?? ''))).join('');
  }

  /** The cells that the mail uses. */
  used(cells: readonly string[]): readonly (string | undefined)[] {
    return [...this.#used].map((column) => cells[column]);
  }

  #find(where: string, name: string): number {
    const column = this.#names.indexOf(name);
    if (column < 0 || name === '') {
      const known = this.#names.filter((each) => each !== '').join(', ');
      throw new UsageError(`${where} names {{${name}}}, but the columns are: ${known}`);
    }
    this.#used.add(column);
    return column;
  }
}
