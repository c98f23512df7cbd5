import { type EmailError, getConnection, type MessageResult } from '../../src/index.ts';
import { type ClientPlan, planClient } from './client-plan.ts';
import { ClientSockets } from './client-sockets.ts';
import { type Contradiction, judge } from './judge.ts';
import { makeCall } from './make-calls.ts';
import { ModelServer } from './model-server.ts';
import { Random } from './random.ts';
import type { ServerPlan } from './server-plan.ts';
import { planServer, THEMES, type Theme } from './themes.ts';
import { makeMails, type TrialMail } from './trial-mails.ts';
import { within } from './within.ts';

/** What no call may take of the time that its process has; one that hangs takes for ever. */
const LIMIT_MS = 60_000;

/** A case, decided by two numbers. */
export interface TrialCase {
  readonly seed: number;
  readonly number: number;
  readonly theme: Theme;
  readonly server: ServerPlan;
  readonly client: ClientPlan;
}

/** How a case went. */
export interface CaseReport {
  readonly theme: Theme;
  readonly mails: number;
  /** Recipients by what is said of them; those of a stream that was left are `not told`. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly contradictions: readonly Contradiction[];
  /** What was said and done, line by line, as the server saw it. */
  readonly journal: readonly string[];
}

/** The case of that number, the same for the same seed. */
export function planCase(seed: number, number: number): TrialCase {
  const random = new Random(seed, number);
  const theme = pickTheme(random);
  const server = planServer(theme, random);
  const client = planClient(random, { ...server, isSilent: theme.isSilent === true });
  return { seed, number, theme, server, client };
}

/** Sends the mails of a case and judges what is told of them. */
export async function runCase({ seed, number, theme, server, client }: TrialCase): Promise<CaseReport> {
  const total = client.calls.reduce((sum, { mails }) => sum + mails, 0);
  const mails = await makeMails(total, new Random(seed, number, 1));
  return { theme, ...(await trySending(mails, server, client, [seed, number, 2])) };
}

/** Sends mails to a server and judges what is told of them; `seeds` are the server's. */
export async function trySending(
  mails: readonly TrialMail[],
  plan: ServerPlan,
  client: ClientPlan,
  seeds: readonly number[],
): Promise<Omit<CaseReport, 'theme'>> {
  const server = await ModelServer.start(plan, seeds);
  try {
    const sockets = new ClientSockets();
    const { told, trouble } = await send(mails, client, server, sockets, `server-${seeds.join('-')}.example.com`);
    const contradictions = [...trouble, ...judge(mails, told, server.ledger, sockets)];
    const statuses = countStatuses(mails, told);
    return { mails: mails.length, statuses, contradictions, journal: server.ledger.journal };
  } finally {
    await server.close();
  }
}

async function send(
  mails: readonly TrialMail[],
  client: ClientPlan,
  server: ModelServer,
  sockets: ClientSockets,
  host: string,
): Promise<{ readonly told: Map<TrialMail, MessageResult | EmailError>; readonly trouble: Contradiction[] }> {
  const connection = getConnection('smtp', {
    ...client.options,
    // A server of its own to the client, which may remember what it learned of another.
    host,
    name: 'client.example.com',
    socket: (target) => sockets.dial({ ...target, host: '127.0.0.1', port: server.port }),
  });
  const told = new Map<TrialMail, MessageResult | EmailError>();
  const trouble: Contradiction[] = [];
  const note = (kind: string, text = '') =>
    trouble.push({ kind, text: `${kind} ${text}`, messageId: '', isGrave: true });
  const waiting = [...mails];
  const calls = client.calls.map(async (call) => {
    const part = waiting.splice(0, call.mails);
    const answers = await makeCall(connection, call, part);
    for (const [mail, answer] of answers) told.set(mail, answer);
    if (answers.size < part.length && call.stop?.kind !== 'leave') note('mails without a result', call.kind);
  });
  const calling = Promise.all(calls).catch((error: unknown) => {
    note('an error that is not of this library', error instanceof Error ? error.stack : String(error));
    return [];
  });
  if (!(await within(LIMIT_MS, calling))) note('a call never ended');
  else if (
    !(await within(
      LIMIT_MS,
      connection.close().then(() => true),
    ))
  )
    note('close() never ended');
  else {
    for (let turn = 0; sockets.open > 0 && turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (sockets.open > 0) note('sockets left open by the client', String(sockets.open));
    else if (!(await within(LIMIT_MS, server.deserted()))) note('connections left at the server', String(server.open));
  }
  return { told, trouble };
}

function countStatuses(
  mails: readonly TrialMail[],
  told: ReadonlyMap<TrialMail, MessageResult | EmailError>,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const mail of mails) {
    const answer = told.get(mail);
    for (const recipient of mail.recipients) {
      const status =
        answer === undefined
          ? 'not told'
          : 'recipients' in answer
            ? answer.recipients.get(recipient)?.status
            : 'thrown';
      counts[status ?? 'none'] = (counts[status ?? 'none'] ?? 0) + 1;
    }
  }
  return counts;
}

function pickTheme(random: Random): Theme {
  let left = random.next() * THEMES.reduce((sum, { weight }) => sum + weight, 0);
  for (const theme of THEMES) {
    left -= theme.weight;
    if (left < 0) return theme;
  }
  return random.pick(THEMES);
}
