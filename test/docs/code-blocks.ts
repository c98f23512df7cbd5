import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of a page. */
interface CodeBlock {
  readonly line: number;
  readonly language: string;
  readonly tags: readonly string[];
  readonly lines: readonly string[];
}

/** A TypeScript or JavaScript block of a page as a whole program. */
export interface Program {
  /** Where it is: `docs/smtp.md:12`. */
  readonly place: string;
  /** The folder of its page and its file there: `docs-smtp`, `12.ts`. */
  readonly folder: string;
  readonly file: string;
  /** Every line stands where it stands in the page, so that an error names the page's line. */
  readonly text: string;
  /** What it prints, in this order: the comments after `console.log(...);`, and those that follow a line `// Prints:`. */
  readonly output: readonly string[];
  /** How it is run: by node; not at all (`no-run`); as a module of its page's other blocks (`file=NAME`). */
  readonly kind: 'run' | 'no-run' | 'file';
}

/** README, CONTRIBUTING and every page of docs. */
export function pages(): string[] {
  const docs = join(ROOT, 'docs');
  const paths = existsSync(docs) ? readdirSync(docs, { recursive: true, encoding: 'utf8' }) : [];
  return ['README.md', 'CONTRIBUTING.md', ...paths.map((path) => `docs/${path}`)].filter((path) =>
    path.endsWith('.md'),
  );
}

/**
 * The programs of a page.
 *
 * A block that imports nothing continues the last one above it that does: it sees what that one declares.
 */
export function programs(page: string): Program[] {
  let beginning: CodeBlock | undefined;
  return codeBlocks(page).map((block) => {
    const { line, language, tags, lines } = block;
    const name = tags.find((tag) => tag.startsWith('file='))?.slice('file='.length);
    const begins = name !== undefined || beginning === undefined || lines.some((text) => /^import\b/.test(text));
    const parts = begins || !beginning ? [block] : [beginning, block];
    if (begins && name === undefined) beginning = block;
    return {
      place: `${page}:${line}`,
      folder: page.replace(/\.md$/, '').replaceAll('/', '-'),
      file: name ?? `${line}.${language}`,
      text: arrange(parts),
      output: parts.flatMap((part) => expectedOutput(part.lines)),
      kind: name !== undefined ? 'file' : tags.includes('no-run') ? 'no-run' : 'run',
    };
  });
}

function codeBlocks(page: string): CodeBlock[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  const blocks: CodeBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const fence = /^```(\S*) ?(.*)$/.exec(lines[index] ?? '');
    if (!fence) continue;
    const end = lines.indexOf('```', index + 1);
    if (end < 0) throw new Error(`${page}:${index + 1}: the block has no end`);
    const [, language = '', tags = ''] = fence;
    if (language === 'ts' || language === 'js') {
      blocks.push({ line: index + 1, language, tags: tags.split(' '), lines: lines.slice(index + 1, end) });
    }
    index = end;
  }
  return blocks;
}

function arrange(parts: readonly CodeBlock[]): string {
  const text: string[] = [];
  for (const [index, { line, lines }] of parts.entries()) {
    while (text.length < line - 1) text.push('');
    text.push(index > 0 ? '{' : '', ...lines, index > 0 ? '}' : '');
  }
  return `${text.join('\n')}\nexport {};\n`;
}

function expectedOutput(lines: readonly string[]): string[] {
  let isPrinted = false;
  return lines.flatMap((line) => {
    const comment = /^ *\/\/ (.*)$/.exec(line)?.[1];
    const expected = isPrinted ? comment : /console\.log\(.*\); \/\/ (.+)$/.exec(line)?.[1];
    isPrinted = comment !== undefined && (isPrinted || comment === 'Prints:');
    return expected ?? [];
  });
}
