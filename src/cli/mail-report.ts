import { viewMail } from '../mailbox/mail-view.ts';
import { type LintFinding, lint } from '../mime/lint.ts';
import { MailContent } from '../mime/mail-content.ts';
import type { MimePart } from '../mime/read-mime.ts';
import { type Cell, type Output, printable } from './output.ts';

type Detail = ReturnType<typeof viewMail>;

/** One part of a mail: where it is, what it holds, and how. */
interface PartReport {
  /** Its place, as `1.2`; '' is the mail itself. */
  readonly path: string;
  readonly type: string;
  readonly charset: string | null;
  readonly encoding: string;
  /** Octets as they are sent; the headers of the part are not counted. */
  readonly octets: number;
  /** Octets when decoded; of large parts a close estimate. */
  readonly size: number;
  readonly filename: string | null;
  readonly contentId: string | null;
  readonly disposition: string | null;
}

/** A mail as its readers get it. */
export interface MailReport {
  readonly octets: number;
  /** Decoded, in order. */
  readonly headers: Detail['headers'];
  /** The parts, parents before their children. */
  readonly parts: readonly PartReport[];
  /** False when there are more parts, levels or headers than are read. */
  readonly isComplete: boolean;
  readonly text: string | null;
  readonly html: string | null;
  readonly lint: readonly LintFinding[];
}

/** Reads a mail, however broken it is; nothing is fetched. */
export function reportMail(bytes: Uint8Array): MailReport {
  const content = new MailContent(bytes);
  const { headers, tree, text, html, isComplete } = viewMail(content);
  const parts = [...listParts(content.tree.root, tree)];
  return { octets: bytes.length, headers, parts, isComplete, text, html, lint: lint(bytes) };
}

/** Whether readers see it as it was meant. */
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

/** What a terminal shows; JSON has it all. */
const MAX_ROWS = 100;
const MAX_VALUE = 160;
const MAX_TEXT_LINES = 20;

/** Prints headers, parts, the beginning of the text, and what is to be mended. */
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

/** Prints a table, of a long one its beginning. */
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
    `${count(octets)} octets${size === octets ? '' : `, ${count(size)} decoded`}`,
    ...(names.length > 0 ? [names.join(' ')] : []),
  ];
}

function printText({ text, html }: MailReport, output: Output): void {
  const lines = (text ?? '').trimEnd().split('\n');
  if (text === null) output.line(`  none${html === null ? '' : `, but HTML of ${count(html.length)} characters`}`);
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

/** A number with its thousands parted. */
export function count(number: number): string {
  return number.toLocaleString('en');
}
