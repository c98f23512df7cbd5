import { type Command, defineCommand } from './command.ts';
import { UsageError } from './failure.ts';
import { formatCount } from './output.ts';
import { readBytes } from './read-file.ts';
import { isSound, printReport, reportMail } from './send/mail-report.ts';

/** `amsdal-mail render`: shows a mail from a file. */
export const renderCommand: Command = defineCommand({
  name: 'render',
  about:
    'Shows the mail in a file: headers, parts, sizes, encodings, text, and what mail readers or filters may object to. It takes\nany mail, received ones included, and needs no configuration; to see what a backend would make of a mail, use explain.',
  operands: 'FILE.eml',
  options: {},
  notes:
    'FILE.eml may be -, which is stdin. Exit codes: 0; 1 when something in it is broken for its readers; 2 wrong usage.',
  examples: ['npx amsdal-mail render mail.eml', 'npx amsdal-mail render - --json < mail.eml'],
  async run({ operands: [file, ...more], output }) {
    if (file === undefined || more.length > 0)
      throw new UsageError('render takes one file: amsdal-mail render FILE.eml');
    const report = reportMail(readBytes('the mail', file));
    output.json(report);
    output.table([
      [
        ['bold', file === '-' ? 'standard input' : file],
        `${formatCount(report.octets)} octets, parts: ${report.parts.length}`,
      ],
    ]);
    printReport(report, output);
    return isSound(report) ? 0 : 1;
  },
});
