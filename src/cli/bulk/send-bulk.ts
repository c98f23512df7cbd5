import { stderr } from 'node:process';
import type { BackendOptions, EmailBackend } from '../../backend/backend.ts';
import { getConnection } from '../../connection/connection.ts';
import { readConfiguration } from '../check/configuration.ts';
import type { OptionValues } from '../command.ts';
import { type CONNECTION_OPTIONS, connectionOf, connectionTarget } from '../connection-options.ts';
import type { Output } from '../output.ts';
import type { MAIL_OPTIONS } from '../send/mail-options.ts';
import { compileMail, type TEMPLATE_OPTIONS } from './bulk-mail.ts';
import { type BulkReport, exitCodeOf, printReport } from './bulk-report.ts';
import { BulkRun, type BulkRunOptions, parseRate } from './bulk-run.ts';
import { Journal } from './journal.ts';
import { readJournal } from './journal-reader.ts';
import { People } from './people.ts';
import { ProgressLine } from './progress-line.ts';
import { readColumns, readPeople } from './read-people.ts';
import { isSent, type Outcome } from './row-outcome.ts';
import { type RowReport, RunPlan } from './run-plan.ts';
import { StopSignals } from './stop-signals.ts';

/** The options of a run over a CSV file, besides its templates. */
export const RUN_OPTIONS = {
  csv: { value: 'FILE', help: 'one mail to every row; the first line names the columns' },
  rate: { value: 'N/s', help: 'with --csv: send no faster than this; also N/m and N/h' },
  unique: { help: 'with --csv: leave out rows whose address appears in an earlier row' },
  'dry-run': { help: 'with --csv: send nothing, and print what would be sent' },
  journal: {
    value: 'FILE',
    help: 'with --csv: where the run is recorded, so that it can go on; default: the CSV file with .journal',
  },
  'retry-refused': { help: 'with --csv: send again to those who were refused in an earlier run' },
  'resend-unknown': { help: 'with --csv: send the rows in doubt again, which some people may then get twice' },
} as const;

type Values = OptionValues<
  typeof RUN_OPTIONS & typeof TEMPLATE_OPTIONS & typeof MAIL_OPTIONS & typeof CONNECTION_OPTIONS
>;

/** Sends the rows that earlier runs have not sent, and reports on all. Returns the exit code. */
export async function sendBulk(csv: string, values: Values, output: Output): Promise<number> {
  const isTrial = values['dry-run'] === true;
  const columns = await readColumns(csv);
  const mail = await compileMail(values, columns, diversionsOf(values));
  const rate = values.rate === undefined ? null : parseRate(values.rate);
  const perSecond = isTrial ? null : rate;
  const chosen = await connectionOf(values, output.isJson);
  const connection = isTrial ? trialConnection(values) : chosen;
  const path = values.journal ?? `${csv}.journal`;
  const journal = isTrial ? null : new Journal(path);
  try {
    const again: readonly Outcome[] = [
      ...(values['resend-unknown'] ? (['unknown'] as const) : []),
      ...(values['retry-refused'] ? (['invalid', 'rejected'] as const) : []),
    ];
    const plan = new RunPlan(mail, journal?.before ?? readJournal(path), path, again);
    const isLive = stderr.isTTY === true && values.debug !== true;
    const people = new People(() => readPeople(csv, columns.length), mail, plan, values.unique === true);
    const report = await sendRows({ connection, mail, journal, perSecond }, people, isLive, output);
    printReport({ ...report, isTrial, journal: path }, output);
    return exitCodeOf(report);
  } finally {
    journal?.close();
    await connection.close();
  }
}

async function sendRows(
  options: Omit<BulkRunOptions, 'onRow'>,
  people: People,
  isLive: boolean,
  output: Output,
): Promise<Omit<BulkReport, 'isTrial' | 'journal'>> {
  const counts: Record<Outcome, number> = {
    sent: 0,
    queued: 0,
    invalid: 0,
    rejected: 0,
    failed: 0,
    unknown: 0,
    unsent: 0,
  };
  const problems: RowReport[] = [];
  const record = (row: RowReport): void => {
    counts[row.outcome]++;
    if (!isSent(row.outcome) || row.missed) problems.push(row);
  };
  const { planned, repeated } = await people.survey(record);
  if (repeated > 0) output.note(people.describeRepeated(repeated));
  const before = { ...counts };
  let done = 0;
  const onRow = (row: RowReport): void => {
    done++;
    record(row);
  };
  const bulk = new BulkRun({ ...options, onRow });
  const progress = new ProgressLine(stderr, isLive, () => ({ counts, done, planned }));
  const signals = new StopSignals(bulk, progress);
  try {
    await bulk.send(people.toSend());
  } finally {
    signals.end();
    progress.end();
  }
  return {
    before,
    counts: { ...counts, unsent: planned - done },
    problems,
    repeated,
    signal: signals.first,
    outage: bulk.outage,
  };
}

/** Where mails go instead of to their recipients; a row that went there does not count as sent. */
function diversionsOf(values: Values): readonly string[] {
  const { backend, backendClass, settings } = readConfiguration(connectionTarget(values));
  const guards = settings.filter(({ name }) => name.startsWith('AMSDAL_')).map(({ name, value }) => `${name}=${value}`);
  const isCaught = values.emulate !== undefined;
  return [...(backendClass.delivers === false ? [backend] : []), ...(isCaught ? ['--emulate'] : []), ...guards];
}

/** The connection of a dry run: it sends nothing, with the default sender of the chosen connection. */
function trialConnection(values: Values): EmailBackend {
  const { defaultFrom } = readConfiguration(connectionTarget(values)).options as BackendOptions; // checked by the backend
  return getConnection('dummy', defaultFrom === undefined ? {} : { defaultFrom });
}
