import type { Outbox } from '../../outbox/outbox.ts';
import type { OutboxMail } from '../../outbox/outbox-mail.ts';
import type { OutboxStats } from '../../outbox/outbox-stats.ts';
import type { MailState } from '../../outbox/store.ts';
import { outboxSchema } from '../../outbox/stores/postgres.ts';
import { type Command, type CommandOptions, defineCommand, numberOf, type OptionValues } from '../command.ts';
import { UsageError } from '../failure.ts';
import { type Cell, type Color, formatCount, type Output } from '../output.ts';
import { OUTBOX_CONNECTION, outboxOf } from './outbox-of.ts';
import { runUi } from './ui.ts';

const STATES: Readonly<Record<MailState, Color>> = {
  queued: 'cyan',
  claimed: 'cyan',
  sending: 'cyan',
  'in-doubt': 'yellow',
  sent: 'green',
  failed: 'red',
  cancelled: 'dim',
};

const OPTIONS = {
  ...OUTBOX_CONNECTION,
  state: { value: 'STATE', help: `list: ${Object.keys(STATES).join(', ')}` },
  lane: { value: 'NAME', help: 'list: of this lane' },
  text: { value: 'TEXT', help: 'list: with this in addresses, subject or results' },
  limit: { value: 'N', help: 'list: how many; default: 100' },
  before: { value: 'ID', help: 'list: older than this one, for the next page' },
  as: { value: 'sent|resend', help: 'resolve: it was sent, or it is to be sent again' },
  run: { help: 'migrate: make the tables in Postgres; without it their SQL is printed' },
  'older-than': { value: 'DAYS', help: 'prune: what ended longer ago; default: 30' },
  port: { value: '8026', help: 'ui: the port of the page; 0 is a free one' },
  host: {
    value: '127.0.0.1',
    help: "ui: the address to listen on; others than this machine's own need --password-file",
  },
  'password-file': { value: 'FILE', help: "ui: ask for the password in it, of the user 'outbox'" },
  'read-only': { help: 'ui: refuse every change' },
} as const satisfies CommandOptions;

type Values = OptionValues<typeof OPTIONS>;
type Action = (outbox: Outbox, ids: readonly string[], values: Values, output: Output) => Promise<number>;

const DAY_MS = 24 * 3_600_000;

const ACTIONS: Readonly<Record<string, Action>> = {
  list: async (outbox, _, values, output) => {
    const limit = numberOf('limit', values.limit);
    const mails = await outbox.list({
      ...{ state: stateOf(values.state), lane: values.lane, text: values.text, before: values.before },
      ...(limit !== undefined && { limit }),
    });
    output.json(mails);
    output.table(mails.map(rowOf));
    if (mails.length === 0) output.line('no such mail');
    return 0;
  },
  show: async (outbox, ids, _, output) => {
    const mails = await Promise.all(ids.map(async (id) => existing(id, await outbox.get(id))));
    output.json(mails);
    for (const mail of mails) show(mail, output);
    return 0;
  },
  retry: (outbox, ids, _, output) => each(outbox, ids, output, 'queued', (id) => outbox.retry(id)),
  cancel: (outbox, ids, _, output) => each(outbox, ids, output, 'cancelled', (id) => outbox.cancel(id)),
  resolve: (outbox, ids, values, output) => {
    const { as } = values;
    if (as !== 'sent' && as !== 'resend') throw new UsageError('resolve needs --as sent or --as resend');
    return each(outbox, ids, output, as === 'sent' ? 'sent' : 'queued', (id) => outbox.resolve(id, as));
  },
  stats: async (outbox, _, __, output) => {
    const stats = await outbox.stats();
    const health = await outbox.health();
    output.json({ ...stats, health });
    const counts = Object.entries(stats.lanes).flatMap(([lane, states]) =>
      Object.entries(states).map(([state, count]): readonly Cell[] => [
        lane,
        [STATES[state as MailState], state], // the keys are states
        formatCount(count),
      ]),
    );
    output.table(counts);
    if (counts.length === 0) output.line('no mails');
    for (const [lane, left] of Object.entries(stats.left)) output.line(`lane ${lane}: ${leftText(left)}`);
    if (Object.keys(stats.accountLeft).length > 0) output.line(`the account: ${leftText(stats.accountLeft)}`);
    for (const { lane, reason } of stats.paused)
      output.line(`${output.paint('red', `lane ${lane} is paused`)}: ${reason}`);
    return health.status === 'ok' ? 0 : 1;
  },
  prune: async (outbox, _, values, output) => {
    const days = numberOf('older-than', values['older-than']);
    const pruned = await outbox.prune(days === undefined ? {} : { olderThanMs: days * DAY_MS });
    output.json({ pruned });
    output.line(`${formatCount(pruned)} deleted`);
    return 0;
  },
  migrate: (outbox, _, __, output) => migrate(outbox, output),
  ui: (outbox, _, values, output) => runUi(outbox, values, output),
};

function leftText(left: OutboxStats['accountLeft']): string {
  const windows = Object.entries(left).map(([window, count]) => `${formatCount(count)} in this ${window}`);
  return `${windows.join(', ')} left`;
}

/** For an application's own migrations: the SQL alone needs no database. */
async function migrate(outbox: Outbox | null, output: Output): Promise<number> {
  if (outbox === null) {
    output.json({ sql: outboxSchema() });
    output.line(outboxSchema());
    return 0;
  }
  await outbox.migrate();
  output.json({ migrated: true });
  output.line('the tables are as this version needs them');
  return 0;
}

const OF_IDS: ReadonlySet<string> = new Set(['show', 'retry', 'cancel', 'resolve']);

/** `amsdal-mail outbox`: shows what an outbox has, and decides about it. */
export const outboxCommand: Command = defineCommand({
  name: 'outbox',
  about: 'Shows the mails of an outbox and decides about them.',
  operands: 'list|show|retry|cancel|resolve|stats|prune|migrate|ui [ID ...]',
  options: OPTIONS,
  notes:
    'A mail is in doubt when its worker died between its last byte and the answer: look whether it has arrived, then resolve it.\nExit codes: 0; 1 when a mail was in another state, or for stats when somebody should look; 2 wrong usage.',
  examples: [
    'npx amsdal-mail outbox list --state in-doubt',
    'npx amsdal-mail outbox resolve 0mx3i1mua00002d7cc289281b1 --as resend',
    'npx amsdal-mail outbox stats --json',
    'npx amsdal-mail outbox ui',
    'npx amsdal-mail outbox migrate > migrations/20_outbox.sql',
  ],
  async run({ values, operands: [action = '', ...ids], output }) {
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (act === undefined) throw new UsageError(`outbox needs one of ${Object.keys(ACTIONS).join(', ')}`);
    if (OF_IDS.has(action) !== ids.length > 0) {
      throw new UsageError(ids.length > 0 ? `outbox ${action} takes no id` : `outbox ${action} needs the id of a mail`);
    }
    refuseOthers(action, values);
    if (action === 'migrate' && !values.run) return migrate(null, output);
    const outbox = await outboxOf(values, output.isJson);
    try {
      return await act(outbox, ids, values, output);
    } finally {
      await outbox.close();
    }
  },
});

/** Options say in their help what they are for, and would do nothing for the rest. */
function refuseOthers(action: string, values: Values): void {
  const given: Readonly<Record<string, unknown>> = values;
  for (const [name, { help }] of Object.entries(OPTIONS)) {
    const [, other = ''] = /^(\w+): /.exec(help) ?? [];
    if (given[name] === undefined || other === action || !Object.hasOwn(ACTIONS, other)) continue;
    throw new UsageError(`--${name} is for outbox ${other}, and does nothing for ${action}`);
  }
}

function stateOf(text: string | undefined): MailState | undefined {
  if (text === undefined || Object.hasOwn(STATES, text)) return text as MailState | undefined; // it is one of them
  throw new UsageError(`--state is one of ${Object.keys(STATES).join(', ')}`);
}

function existing(id: string, mail: OutboxMail | null): OutboxMail {
  if (mail === null) throw new UsageError(`there is no mail ${id} in the outbox`);
  return mail;
}

async function each(
  outbox: Outbox,
  ids: readonly string[],
  output: Output,
  done: MailState,
  change: (id: string) => Promise<boolean>,
): Promise<number> {
  const changed: { readonly id: string; readonly isChanged: boolean }[] = [];
  for (const id of ids) existing(id, await outbox.get(id));
  for (const id of ids) changed.push({ id, isChanged: await change(id) });
  output.json(changed);
  output.table(
    changed.map(({ id, isChanged }) => [
      id,
      isChanged ? [STATES[done], done] : ['red', 'not changed: it is in another state'],
    ]),
  );
  return changed.every(({ isChanged }) => isChanged) ? 0 : 1;
}

function rowOf({ id, state, lane, tries, createdAt, recipients, subject }: OutboxMail): readonly Cell[] {
  const [first] = recipients;
  const to = recipients.length > 1 ? `${first?.address} and ${recipients.length - 1} more` : (first?.address ?? '');
  return [
    id,
    [STATES[state], state],
    lane,
    tries === 1 ? '1 try' : `${tries} tries`,
    shortTime(createdAt),
    to,
    subject,
  ];
}

function show(mail: OutboxMail, output: Output): void {
  output.table([
    [
      ['bold', mail.id],
      [STATES[mail.state], mail.state],
    ],
    ['subject', mail.subject],
    ['from', mail.from],
    ['Message-ID', mail.messageId ?? ''],
    ['lane', mail.lane],
    ['written down', shortTime(mail.createdAt)],
    ...(mail.state === 'queued' ? [['due', shortTime(mail.dueAt)]] : []),
    ...mail.recipients.map(({ address, status, response }): readonly Cell[] => [
      'to',
      `${address}: ${status} ${response ?? ''}`,
    ]),
    ...mail.events.map(({ at, what, text }): readonly Cell[] => [shortTime(new Date(at)), `${what} ${text}`]),
  ]);
}

function shortTime(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
