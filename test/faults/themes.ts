import type { Random } from './random.ts';
import type { After421, End, Fault, PlannedFault, ServerPlan, Step } from './server-plan.ts';

const ALL: ServerPlan['extensions'] = ['PIPELINING', 'CHUNKING'];
const OPENING: readonly Step[] = ['connect', 'EHLO'];
const ANY: readonly Step[] = ['MAIL', 'RCPT', 'DATA', 'RSET', 'final'];
/** The commands of a transaction that may be refused. */
const REFUSABLE: readonly Step[] = ['MAIL', 'RCPT', 'DATA', 'final'];
const LATER = ['450 4.2.0 Later', '451 4.3.0 Later', '452 4.2.2 Full', '452 4.5.3 Too many', '454 4.7.0 Later'];
const NEVER = [
  '550 5.1.1 Nobody',
  '550 5.7.1 No',
  '552 5.2.2 Full',
  '553 5.1.3 What',
  '554 5.6.0 No',
  '500 5.5.1 What',
];

/** What a server's faults allow to be said of its mails. */
export type Honesty =
  /** Whoever reads its replies by RFC 5321 can tell the truth. */
  | 'exact'
  /** It takes what stands behind its 421, never answers it, and closes: mails are doubled, a window of them once. */
  | 'takes behind 421'
  /** Its replies do not belong to the commands: nothing can be told, but nobody gets another's mail. */
  | 'out of step';

/** A kind of server that is met at random. */
export interface Theme {
  readonly name: string;
  readonly honesty: Honesty;
  /** How many of the cases, in proportion to the others. */
  readonly weight: number;
  /** Whether it keeps silent, so that only a short timeout moves on. */
  readonly isSilent?: boolean;
  /** What it adds to an honest plan, whose extensions are decided. */
  plan(random: Random, plan: ServerPlan): Partial<ServerPlan>;
}

/** The servers of the random trial. */
export const THEMES: readonly Theme[] = [
  { name: 'no fault', honesty: 'exact', weight: 3, plan: () => ({}) },
  { name: 'drops', honesty: 'exact', weight: 8, plan: (random) => ({ faults: [leaving(random, 'fin')] }) },
  { name: 'resets', honesty: 'exact', weight: 6, plan: (random) => ({ faults: [leaving(random, 'rst')] }) },
  { name: 'stalls', honesty: 'exact', weight: 5, isSilent: true, plan: (random) => ({ faults: [stalling(random)] }) },
  { name: '4yz', honesty: 'exact', weight: 5, plan: (random) => ({ faults: refusing(random, LATER) }) },
  { name: '5yz', honesty: 'exact', weight: 5, plan: (random) => ({ faults: refusing(random, NEVER) }) },
  {
    name: '421 and closes',
    honesty: 'exact',
    weight: 10,
    plan: (random) => ({ faults: [farewell(random, random.pick(['close', 'reset', 'close later']))] }),
  },
  {
    name: '421 and answers on',
    honesty: 'exact',
    weight: 6,
    plan: (random) => ({ faults: [farewell(random, random.pick(['answer on', 'answer some']))] }),
  },
  {
    name: '421 and no more',
    honesty: 'exact',
    weight: 7,
    isSilent: true,
    plan: (random) => ({ faults: [farewell(random, random.pick(['keep still', 'take on']))] }),
  },
  {
    name: 'leaves after n mails',
    honesty: 'exact',
    weight: 8,
    plan: (random) => ({
      leavesAfter: {
        mails: random.integer(1, 12),
        how: random.pick(['fin', 'rst', '421 at once', '421 at the next']),
        afterwards: random.pick(['close', 'reset', 'close later']),
      },
    }),
  },
  {
    name: 'too many errors',
    honesty: 'exact',
    weight: 5,
    plan: (random) => ({
      errorsTolerated: random.integer(1, 10),
      faults: [{ at: ['RCPT'], fault: refusal(random, NEVER), chance: random.pick([0.1, 0.5]), times: Infinity }],
    }),
  },
  { name: 'early replies', honesty: 'exact', weight: 7, isSilent: true, plan: early },
  {
    name: 'RSET refused',
    honesty: 'exact',
    weight: 14,
    plan: (random, { extensions }) => ({
      rset: {
        reply: random.pick(['502 5.5.1 What', '500 5.5.2 What', '503 5.5.1 Not now', '451 4.3.0 Later', '550 No']),
        // By BDAT, content has left before the reply to RSET is known.
        share: extensions.includes('CHUNKING') || random.chance(0.5) ? 1 : random.next(),
      },
      keepsRefusedBdat: random.chance(0.7),
      faults: refusing(random, random.chance(0.5) ? LATER : NEVER),
    }),
  },
  {
    name: 'BDAT refused',
    honesty: 'exact',
    weight: 8,
    plan: (random) => ({
      extensions: ALL,
      bdat: random.pick(['500 5.5.1 What', '501 5.5.4 What', '502 5.5.1 No', '503 5.5.1 No', '504 5.5.4 No']),
      swallowsRefusedChunks: random.chance(0.5),
      keepsRefusedBdat: random.chance(0.5),
    }),
  },
  {
    name: 'chunks read as commands',
    honesty: 'exact',
    weight: 4,
    plan: (random) => ({
      extensions: ALL,
      swallowsRefusedChunks: false,
      faults: [{ at: ['MAIL', 'RCPT'], fault: refusal(random, NEVER), chance: 0.3, times: Infinity }],
    }),
  },
  {
    name: 'EHLO refused',
    honesty: 'exact',
    weight: 2,
    plan: (random) => ({ ehlo: random.pick(['500 What', '502 5.5.1 No', '504 5.5.4 No']) }),
  },
  {
    name: 'several',
    honesty: 'exact',
    weight: 8,
    isSilent: true,
    plan: (random) => ({
      faults: [
        leaving(random, random.pick(['fin', 'rst'])),
        stalling(random),
        farewell(random, random.pick(['close', 'reset', 'close later', 'keep still'])),
        ...refusing(random, LATER),
        ...refusing(random, NEVER),
      ].map((planned) => ({ ...planned, chance: planned.chance / 3 })),
    }),
  },
  {
    name: '421, takes the rest and closes',
    honesty: 'takes behind 421',
    weight: 4,
    plan: (random) => ({ faults: [{ ...farewell(random, 'take and close'), chance: 0.1, times: 1 }] }),
  },
  {
    name: 'a reply too many or too few',
    honesty: 'out of step',
    weight: 4,
    isSilent: true,
    plan: (random) => ({
      faults: [{ at: ANY, fault: { kind: random.pick(['extra', 'missing'] as const) }, chance: 0.05, times: Infinity }],
    }),
  },
];

/** A server of the theme, with everything decided that is left to chance. */
export function planServer(theme: Theme, random: Random): ServerPlan {
  const isLmtp = random.chance(0.1);
  const base: ServerPlan = {
    isLmtp,
    // LMTP clients send by DATA.
    extensions: random.pick(isLmtp ? [[], ['PIPELINING']] : [[], ['PIPELINING'], ['CHUNKING'], ALL, ALL, ALL]),
    deliversBeforeReplies: random.chance(0.5),
    ehlo: null,
    rset: null,
    bdat: null,
    swallowsRefusedChunks: true,
    keepsRefusedBdat: random.chance(0.3),
    asksForContentAlways: random.chance(0.3),
    maxRecipients: random.chance(0.2) ? random.integer(1, 3) : Infinity,
    leavesAfter: null,
    errorsTolerated: Infinity,
    calmFor: random.pick([0, 0, 5, 15, 30]),
    replies: random.pick(['joined', 'joined', 'single', 'split', 'late']),
    faults: [],
  };
  // Refusals everywhere now and then: what is refused decides what the next command means.
  const refusals = random.chance(0.3) ? refusing(random, random.pick([LATER, NEVER])) : [];
  const plan = { ...base, ...theme.plan(random, base) };
  return {
    ...plan,
    isLmtp: plan.isLmtp && !plan.extensions.includes('CHUNKING'),
    // LMTP has no HELO to fall back to.
    ehlo: plan.isLmtp ? null : plan.ehlo,
    faults: [...plan.faults, ...refusals],
  };
}

function leaving(random: Random, end: End): PlannedFault {
  const fault: Fault = { kind: 'leave', end, isAfter: random.chance(0.5) };
  return { at: someSteps(random, ANY), fault, chance: rate(random), times: often(random) };
}

function stalling(random: Random): PlannedFault {
  const fault: Fault = { kind: 'stall', takes: random.chance(0.5), reads: random.chance(0.7) };
  return { at: someSteps(random, ANY), fault, chance: rate(random) / 3, times: often(random) };
}

function farewell(random: Random, afterwards: After421): PlannedFault {
  // Behind the reply to a mail, 421 answers nothing; who goes on after it is out of step.
  const steps: readonly Step[] = afterwards.startsWith('answer') ? ANY : [...ANY, 'after'];
  return {
    at: someSteps(random, steps),
    fault: { kind: '421', afterwards },
    chance: rate(random),
    times: often(random),
  };
}

function refusing(random: Random, replies: readonly string[]): PlannedFault[] {
  return REFUSABLE.filter(() => random.chance(0.6)).map((step) => ({
    at: [step],
    fault: refusal(random, replies),
    chance: rate(random),
    times: Infinity,
  }));
}

function refusal(random: Random, replies: readonly string[]): Fault {
  return { kind: 'refuse', reply: random.pick(replies) };
}

/** Replies to commands that were not sent yet: where there is no PIPELINING any, behind 354 always. */
function early(random: Random, { extensions, isLmtp }: ServerPlan): Partial<ServerPlan> {
  const places: (readonly [at: Step, replies: string])[] = [
    ['connect', '250 2.0.0 Ok\r\n'],
    ['EHLO', '250 2.1.0 Ok\r\n'],
    ['DATA', '250 2.0.0 Taken\r\n'],
    ['DATA', '250 2.0.0 Taken\r\n'],
  ];
  if (!extensions.includes('PIPELINING')) {
    places.push(['MAIL', '250 2.1.5 Ok\r\n354 Go on\r\n250 2.0.0 Taken\r\n']);
    places.push(['RCPT', '354 Go on\r\n250 2.0.0 Taken\r\n']);
    places.push(['RCPT', '250 2.1.5 Ok\r\n']);
    // Over LMTP it may be due, for the next recipient.
    if (!isLmtp) places.push(['final', '250 2.0.0 Ok\r\n']);
  }
  const [at, replies] = random.pick(places);
  const fault: Fault = { kind: 'early', replies, goesOn: random.chance(0.5) };
  return {
    faults: [
      { at: [at], fault, chance: random.pick([0.1, 0.3, 1]), times: often(random) },
      { at: ['final'], fault: refusal(random, NEVER), chance: 0.5, times: Infinity },
    ],
  };
}

function someSteps(random: Random, steps: readonly Step[]): readonly Step[] {
  // Who never gets through learns little.
  const all = random.chance(0.15) ? [...OPENING, ...steps] : steps;
  return random.chance(0.5) ? all : [random.pick(all)];
}

function rate(random: Random): number {
  return random.pick([0.01, 0.03, 0.1, 0.3]);
}

function often(random: Random): number {
  return random.pick([1, 2, Infinity, Infinity]);
}
