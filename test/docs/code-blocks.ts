import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of a page. */
export interface CodeBlock {
  /** The page, from the root: `docs/smtp.md`. */
  readonly page: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
  /** The word after the fence: `ts`, `js`, `sh`, ... */
  readonly language: string;
  /** The words after it: `no-run`. */
  readonly tags: readonly string[];
  readonly lines: readonly string[];
}

/** README and every page of docs. */
export function pages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return [
    'README.md',
    'CONTRIBUTING.md',
    ...docs.filter((path) => path.endsWith('.md')).map((path) => `docs/${path}`),
  ].sort();
}

/** Every fenced block of a page, in order. */
export function codeBlocks(page: string): CodeBlock[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  const blocks: CodeBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const fence = /^```(\S*) ?(.*)$/.exec(lines[index] ?? '');
    if (!fence) continue;
    const end = lines.indexOf('```', index + 1);
    if (end < 0) throw new Error(`${page}:${index + 1}: the block has no end`);
    const [, language = '', tags = ''] = fence;
    blocks.push({
      page,
      line: index + 1,
      language,
      tags: tags.split(' ').filter(Boolean),
      lines: lines.slice(index + 1, end),
    });
    index = end;
  }
  return blocks;
}

/** A block as a whole program. */
export interface Program {
  readonly block: CodeBlock;
  /** The name of its file: `docs-smtp-12.ts`. */
  readonly file: string;
  /** The program; every line stands where it stands in the page, so that an error names the page's line. */
  readonly text: string;
  /** What it must print, in this order: the comments after `console.log(...);`. */
  readonly output: readonly string[];
}

/**
 * The TypeScript and JavaScript blocks of a page as programs.
 *
 * A block that imports nothing continues the last block above it that does: it sees what that one declares.
 */
export function programs(page: string): Program[] {
  let beginning: CodeBlock | null = null;
  return codeBlocks(page)
    .filter(({ language }) => language === 'ts' || language === 'js')
    .map((block) => {
      const begins: boolean = beginning === null || block.lines.some((line) => /^import\b/.test(line));
      if (begins) beginning = block;
      const file = `${page.replace(/\.md$/, '').replaceAll('/', '-')}-${block.line}.${block.language}`;
      const parts = begins || !beginning ? [block] : [beginning, block];
      return { block, file, text: place(parts), output: parts.flatMap(({ lines }) => expectedOutput(lines)) };
    });
}

function place(parts: readonly CodeBlock[]): string {
  const text: string[] = [];
  for (const [index, { line, lines }] of parts.entries()) {
    while (text.length < line - 1) text.push('');
    text.push(index > 0 ? '{' : '', ...lines, index > 0 ? '}' : '');
  }
  return `${text.join('\n')}\nexport {};\n`;
}

function expectedOutput(lines: readonly string[]): string[] {
  return lines.map((line) => /console\.log\(.*\); \/\/ (.+)$/.exec(line)?.[1] ?? '').filter(Boolean);
}
