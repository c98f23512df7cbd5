import { type LintFinding, lint } from '../../mime/lint/lint.ts';
import { MailContent } from '../../mime/read/mail-content.ts';
import { viewMail } from '../../mime/read/mail-view.ts';
import type { MimePart } from '../../mime/read/mime-tree.ts';
import { type Cell, formatCount, type Output, printable } from '../output.ts';

type Detail = ReturnType<typeof viewMail>;

/** One MIME part of a mail. */
interface PartReport {
  /** Its position, such as `1.2`; '' is the mail itself. */
  readonly path: string;
  readonly type: string;
  readonly charset: string | null;
  readonly encoding: string;
  /** Encoded size in bytes, without the part's headers. */
  readonly octets: number;
  /** Decoded size in bytes; a close estimate for large parts. */
  readonly size: number;
  readonly filename: string | null;
  readonly contentId: string | null;
  readonly disposition: string | null;
}

/** A mail as its recipients read it. */
export interface MailReport {
  readonly octets: number;
  /** Decoded, in order. */
  readonly headers: Detail['headers'];
  /** All parts, parents before children. */
  readonly parts: readonly PartReport[];
  /** False when the mail has more parts, levels or headers than are read. */
  readonly isComplete: boolean;
  readonly text: string | null;
  readonly html: string | null;
  readonly lint: readonly LintFinding[];
}

/** Reads a mail, however broken; nothing is fetched. */
export function reportMail(bytes: Uint8Array): MailReport {
  const content = new MailContent(bytes);
  const { headers, tree, text, html, isComplete } = viewMail(content);
  const parts = [...listParts(content.tree.root, tree)];
  return { octets: bytes.length, headers, parts, isComplete, text, html, lint: lint(bytes) };
}

/** Whether lint found no error. */
export function isSound({ lint: findings }: MailReport): boolean {
  return findings.every(({ severity }) => severity !== 'error');
}

function* listParts(part: MimePart, view: Detail['tree']): Generator<PartReport> {
  const { path, mediaType: type, charset, encoding, size, filename, contentId, disposition } = view;
  yield { path, type, charset, encoding, octets: part.end - part.start, size, filename, contentId, disposition };
  for (const [at, child] of view.children.entries()) {
    const childPart = part.children[at];
    if (childPart !== undefined) yield* listParts(childPart, child);
  }
}

/** Limits of what a terminal shows; JSON has everything. */
const MAX_ROWS = 100;
const MAX_VALUE = 160;
const MAX_TEXT_LINES = 20;

/** Prints headers, parts, the beginning of the text, and the findings of lint. */
export function printReport(report: MailReport, output: Output): void {
  const title = (text: string) => output.line(`\n${output.paint('bold', text)}`);
  title('Headers');
  printRows(
    report.headers.map(({ name, value }) => ['', ['cyan', shorten(name, 30)], shorten(value, MAX_VALUE)]),
    output,
  );
  title('Parts');
  printRows(report.parts.map(partRow), output);
  if (!report.isComplete) output.line('  ... there is more than is read: too many parts, levels or headers');
  title('Text');
  printText(report, output);
  title('Lint');
  if (report.lint.length === 0) output.table([['', ['green', 'nothing to mend']]]);
  for (const finding of report.lint) printFinding(finding, output);
}

/** Prints a table, or the beginning of a long one. */
export function printRows(rows: readonly (readonly Cell[])[], output: Output): void {
  output.table(rows.slice(0, MAX_ROWS));
  if (rows.length > MAX_ROWS) output.line(`  ... and ${rows.length - MAX_ROWS} more`);
}

function partRow(part: PartReport): readonly Cell[] {
  const { path, type, charset, encoding, octets, size, filename, contentId, disposition } = part;
  const depth = path === '' ? 0 : path.split('.').length;
  const names = [
    ...(disposition === null ? [] : [disposition]),
    ...(filename === null ? [] : [shorten(filename, 60)]),
    ...(contentId === null ? [] : [`cid:${shorten(contentId, 60)}`]),
  ];
  return [
    '',
    ['cyan', path],
    '  '.repeat(depth) + type,
    charset ?? '',
    encoding,
    `${formatCount(octets)} octets${size === octets ? '' : `, ${formatCount(size)} decoded`}`,
    ...(names.length > 0 ? [names.join(' ')] : []),
  ];
}

function printText({ text, html }: MailReport, output: Output): void {
  const lines = (text ?? '').trimEnd().split('\n');
  if (text === null)
    output.line(`  none${html === null ? '' : `, but HTML of ${formatCount(html.length)} characters`}`);
  else for (const line of lines.slice(0, MAX_TEXT_LINES)) output.line(`  ${printable(shorten(line, MAX_VALUE))}`);
  if (lines.length > MAX_TEXT_LINES) output.line(`  ... and ${lines.length - MAX_TEXT_LINES} more lines`);
}

const SEVERITIES = { error: 'red', warning: 'yellow', info: 'dim' } as const;

function printFinding({ severity, id, message, fix, places }: LintFinding, output: Output): void {
  const rows: (readonly Cell[])[] = [['', [SEVERITIES[severity], severity.padEnd(7)], `${message} (${id})`]];
  for (const place of places) rows.push(['', '', place]);
  output.table([...rows, ['', '', ['dim', `-> ${fix}`]]]);
}

function shorten(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
