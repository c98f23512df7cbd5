import { describe, expect, it } from 'vitest';
import type { SmtpBackendOptions } from '../../src/index.ts';
import { trySending } from './random-trial.ts';
import { type After421, HONEST, type PlannedFault, type ServerPlan } from './server-plan.ts';
import { makeSmallMails } from './trial-mails.ts';

/** A server, and the most of the mails that may be `unknown`: all others are sent. */
interface Row {
  readonly name: string;
  readonly plan: Partial<ServerPlan>;
  readonly mails: number;
  readonly unknown: number;
  /** Those that are refused, each for itself. */
  readonly refused?: readonly string[];
}

const EXTENSIONS: readonly ServerPlan['extensions'][] = [[], ['PIPELINING'], ['PIPELINING', 'CHUNKING']];
const GOODBYES: readonly After421[] = ['close', 'close later', 'reset'];
const CANNOT = ['500 5.5.1 What', '501 5.5.4 What', '502 5.5.1 No', '503 5.5.1 No', '504 5.5.4 No'];
const LATER: PlannedFault = { at: ['MAIL'], fault: { kind: '421', afterwards: 'close' }, chance: 1, times: 1 };

const ROWS: readonly Row[] = [
  ...EXTENSIONS.flatMap((extensions): Row[] => {
    const name = extensions.join(', ') || 'one command at a time';
    return [
      { name: `no fault, ${name}`, plan: { extensions }, mails: 40, unknown: 0 },
      ...GOODBYES.flatMap((afterwards): Row[] => [
        {
          name: `421 to the next behind every fifth mail, then ${afterwards}, ${name}`,
          plan: { extensions, leavesAfter: { mails: 5, how: '421 at the next', afterwards } },
          mails: 40,
          unknown: 0,
        },
        {
          name: `421 behind the reply to every fifth mail, then ${afterwards}, ${name}`,
          plan: { extensions, leavesAfter: { mails: 5, how: '421 at once', afterwards } },
          mails: 40,
          unknown: 0,
        },
        ...(['MAIL', 'RCPT', 'DATA'] as const).map((step) => ({
          name: `421 to ${step} three times, then ${afterwards}, ${name}`,
          plan: {
            extensions,
            faults: [{ ...LATER, at: [step], fault: { kind: '421' as const, afterwards }, chance: 0.3, times: 3 }],
          },
          mails: 20,
          unknown: 0,
        })),
      ]),
      {
        name: `421 to MAIL three times, and answers on, ${name}`,
        plan: {
          extensions,
          faults: [{ ...LATER, fault: { kind: '421', afterwards: 'answer on' }, chance: 0.3, times: 3 }],
        },
        mails: 20,
        unknown: 0,
      },
      {
        name: `hangs up without a word behind every third mail, ${name}`,
        plan: { extensions, leavesAfter: { mails: 3, how: 'fin', afterwards: 'close' } },
        mails: 20,
        unknown: extensions.includes('CHUNKING') ? 3 : 0,
      },
      {
        name: `421 behind five refusals, ${name}`,
        plan: {
          extensions,
          errorsTolerated: 5,
          faults: [
            { at: ['RCPT'], fault: { kind: 'refuse', reply: '550 5.1.1 Nobody' }, chance: 0.5, times: Infinity },
          ],
        },
        mails: 60,
        unknown: 0,
        refused: ['invalid'],
      },
      {
        name: `421 to every MAIL, ${name}`,
        plan: { extensions, faults: [{ ...LATER, times: Infinity }] },
        mails: 20,
        unknown: 0,
        refused: ['failed'],
      },
      {
        name: `refuses RSET, ${name}`,
        plan: { extensions, rset: { reply: '502 5.5.1 No', share: 1 } },
        mails: 20,
        unknown: 0,
      },
    ];
  }),
  ...CANNOT.flatMap((bdat) =>
    [true, false].map((swallowsRefusedChunks) => ({
      name: `${bdat} to BDAT, whose octets are read as ${swallowsRefusedChunks ? 'its chunk' : 'commands'}`,
      plan: { bdat, swallowsRefusedChunks },
      mails: 20,
      unknown: 0,
    })),
  ),
];

describe('what is certain is told so', () => {
  const options: SmtpBackendOptions = {
    maxConnections: 1,
    timeoutMs: 10_000,
    retry: { attempts: 1, baseMs: 1, maxMs: 10 },
  };

  it.each(ROWS.map((row, at) => [row.name, at, row] as const))('%s', async (_, at, row) => {
    const { plan, mails, unknown, refused = [] } = row;
    const seeds = [at];
    const client = { options, calls: [{ kind: 'silent list' as const, mails, stop: null }] };
    const report = await trySending(await makeSmallMails(mails), { ...HONEST, ...plan }, client, seeds);
    const { sent = 0, unknown: uncertain = 0, ...others } = report.statuses;
    expect(report.contradictions).toEqual([]);
    expect(Object.keys(others).filter((status) => !refused.includes(status))).toEqual([]);
    expect(uncertain, `unknown of ${mails}, ${sent} sent`).toBeLessThanOrEqual(unknown);
  });
});
