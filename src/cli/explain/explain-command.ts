import type { AddressInput } from '../../model/address.ts';
import type { EmailMessageDraft, EmailMessageInit } from '../../model/message-init.ts';
import { readConfiguration } from '../check/configuration.ts';
import { type Command, defineCommand, type OptionValues } from '../command.ts';
import { CONNECTION_OPTIONS, connectionTarget } from '../connection-options.ts';
import { UsageError } from '../failure.ts';
import { type Cell, formatCount, type Output, printable } from '../output.ts';
import { MAIL_OPTIONS } from '../send/mail-options.ts';
import { isSound, type MailReport, printReport, printRows, reportMail } from '../send/mail-report.ts';
import { BODY_OPTIONS, readDraft } from '../send/send-command.ts';
import { treeLines } from './connection-tree.ts';
import { type Explanation, explainMail } from './explanation.ts';

const { backend, url } = CONNECTION_OPTIONS; // no dialogue to debug
const MAIL = { ...MAIL_OPTIONS, ...BODY_OPTIONS, to: { ...MAIL_OPTIONS.to, help: 'a recipient' } } as const;
const OPTIONS = { ...MAIL, backend, url } as const;
type Values = OptionValues<typeof OPTIONS>;

/** `amsdal-mail explain`: what `send` would do, without doing it. */
export const explainCommand: Command = defineCommand({
  name: 'explain',
  about:
    'Shows what send would do with a mail, without doing it: what the chosen backend makes of it, who gets it, what goes over\nthe wire and in how many round trips, or what is asked of a provider. It takes the options of send; without a mail, a short one is explained. No network\nis used: the same code sends the mail to a server within this process.',
  operands: '[FILE.eml]',
  options: OPTIONS,
  notes:
    'FILE.eml, or - for stdin, is a mail to send, as --eml gives it; to see a file as it is, use render.\nExit codes: 0; 1 when the backend refuses the mail, or something in it is broken for its readers; 2 wrong usage.',
  examples: [
    'npx amsdal-mail explain --backend gmail',
    'npx amsdal-mail explain mail.eml --backend resend',
    "npx amsdal-mail explain --to jane@example.org --subject 'Your invoice' --text mail.txt --attach invoice.pdf",
    'npx amsdal-mail explain mail.eml --url smtp://mail.example.com --json',
  ],
  async run({ values, operands, output }) {
    const target = connectionTarget(values);
    const explanation = await explainMail(target, mailOf(values, operands, target));
    const report = explanation.mail && reportMail(explanation.mail);
    output.json({ ...toJson(explanation), mail: report });
    print(explanation, report, output);
    return report === null || isSound(report) ? 0 : 1;
  },
});

const SAMPLE: EmailMessageDraft = {
  subject: 'A short mail',
  body: 'It is here to show how mails are sent.\n',
  to: 'somebody@example.org',
};
const SAMPLE_SENDER = 'sender@example.com';

function mailOf(values: Values, [file, ...more]: readonly string[], target: string | undefined): EmailMessageInit {
  if (more.length > 0 || (file !== undefined && values.eml !== undefined)) {
    throw new UsageError('explain takes one mail: amsdal-mail explain FILE.eml');
  }
  const isGiven = file !== undefined || Object.keys(MAIL).some((name) => Reflect.get(values, name) !== undefined);
  const draft = isGiven ? readDraft(file === undefined ? values : { ...values, eml: file }) : SAMPLE;
  const configured = readConfiguration(target).options['defaultFrom'] as AddressInput | undefined; // checked by the backend
  const fromEmail = draft.fromEmail ?? configured ?? (isGiven ? undefined : SAMPLE_SENDER);
  if (fromEmail === undefined) throw new UsageError('--from is missing: give it, or set AMSDAL_EMAIL_FROM');
  return { ...draft, fromEmail };
}

function toJson({ wire, requests, mail, ...facts }: Explanation): object {
  return {
    ...facts,
    wire: wire.map(({ extensions, roundTrips, groups }) => ({ extensions, roundTrips, groups })),
    requests: requests.map(({ operation, recipients, mail: raw }) => ({
      operation,
      recipients,
      octets: raw?.length ?? null,
    })),
    octets: mail?.length ?? null,
  };
}

function print(explanation: Explanation, report: MailReport | null, output: Output): void {
  const { how, connections, ignored, ignoredReasons, envelope, session, wire, requests, http } = explanation;
  const title = (text: string) => output.line(`${output.paint('bold', text)}`);
  title(`The ${explanation.backend} backend`);
  const rows: (readonly Cell[])[] = [['', 'how', how]];
  if (envelope !== null) {
    rows.push(['', 'envelope from', envelope.sender === '' ? '<>' : envelope.sender]);
    rows.push(['', 'envelope to', envelope.recipients.join(', ')]);
  }
  if (report !== null) rows.push(['', 'size', `${formatCount(report.octets)} octets, parts: ${report.parts.length}`]);
  if (http !== null) {
    const one = 'each message is a request of its own';
    rows.push(['', 'several', http.batch === null ? one : `several messages of one call go together to ${http.batch}`]);
  }
  const told = new Map(Object.entries(ignoredReasons));
  const unsaid = ignored.filter((name) => !told.has(name));
  if (unsaid.length > 0) rows.push(['', ['yellow', 'left out'], `${unsaid.join(', ')}: this backend cannot carry it`]);
  for (const [name, reason] of told) rows.push(['', ['yellow', 'left out'], `${name}: ${reason}`]);
  output.table(rows);
  if (connections.length > 0) {
    output.line();
    title('Connections');
    output.table(treeLines(connections).map(([name, text]) => ['', ['cyan', name], text]));
  }
  if (session !== null) {
    output.line();
    title('Round trips');
    const { steps, fewest, most } = session;
    const parts = steps.map(([step, least, worst]) => `${step} ${range(least, worst)}`).join(', ');
    output.table([
      ['', 'a connection, once', range(fewest, most), parts],
      ...wire.map(({ extensions, roundTrips, groups }) => {
        const offered = extensions.length === 0 ? 'neither' : extensions.join(' and ');
        return ['', `a mail, with ${offered}`, String(roundTrips), groups.map(groupText).join(' | ')];
      }),
    ]);
    const [best] = wire;
    output.line();
    title('On the wire, with PIPELINING and CHUNKING');
    const trips = best?.groups ?? [];
    printRows(
      trips.flatMap((group, trip) => group.map((line, at) => ['', ['dim', at === 0 ? `${trip + 1}` : ''], line])),
      output,
    );
  }
  for (const call of http?.calls ?? []) {
    output.line();
    title(`${call.method} ${call.url}`);
    output.table(Object.entries(call.headers).map(([name, value]) => ['', ['cyan', name], value]));
    output.line();
    for (const line of JSON.stringify(call.body, null, 2).split('\n')) output.line(`  ${printable(line)}`);
  }
  if (requests.length > 0) {
    output.line();
    title('Requests');
    output.table(
      requests.map(({ operation, recipients, mail }) => [
        '',
        operation,
        `recipients: ${recipients}`,
        mail === null ? 'from a template' : `raw, ${formatCount(mail.length)} octets`,
      ]),
    );
  }
  if (report !== null) printReport(report, output);
}

/** The verbs of a group of commands; `RCPT x3` for three in a row. */
function groupText(group: readonly string[]): string {
  const runs: [string, number][] = [];
  for (const line of group) {
    const word = line.startsWith('(') ? 'content' : (line.split(' ', 1)[0] ?? '');
    const last = runs.at(-1);
    if (last?.[0] === word) last[1]++;
    else runs.push([word, 1]);
  }
  return runs.map(([word, times]) => (times === 1 ? word : `${word} x${times}`)).join(' ');
}

function range(fewest: number, most: number): string {
  return fewest === most ? String(fewest) : `${fewest}-${most}`;
}
