import { type DeliveryResult, failedDelivery, type Job, toEmailError } from '../backend/job.ts';
import type { Part } from '../backend/part.ts';
import { admit, answered, type PartJob } from '../backend/part-job.ts';
import { sendCopy } from './copies.ts';
import { Mail } from './mail.ts';
import { messageFor, sameInEveryBlockingTry } from './message-for.ts';
import type { NamedPart } from './parts.ts';
import { tellOfTry } from './tell-of-try.ts';
import { beginTry, endTry } from './trace-try.ts';
import { jobFor } from './wrapper-call.ts';
import type { WrapperHost } from './wrapper-host.ts';

/** New mails in the first round of a wrapper that passes over connections at fault; each further round has twice as many. */
const FIRST_ROUND = 32;

/** A mail that is to go to a connection at a time. */
interface Due {
  readonly mail: Mail;
  /** Null for a new mail: its connection is chosen when its round comes, by what those before it have met. */
  readonly place: number | null;
  readonly at: number;
}

type Settle = (mail: Mail, result: DeliveryResult) => void;

/** What the wrapper's calls do, while the thread waits: in rounds, as each connection delivers many at once. */
export function deliverSync(host: WrapperHost, jobs: readonly Job[]): readonly DeliveryResult[] {
  const results: DeliveryResult[] = [];
  const { rules, clock } = host;
  const settle: Settle = (mail, result) => {
    if (rules.copies) sendCopy(rules.copies, mail.job, result);
    results.push(result);
  };
  let due: Due[] = [];
  const deliverDue = () => {
    deliverAll(host, due, settle);
    due = [];
  };
  for (const job of jobs) {
    try {
      takeTurn(host, job, deliverDue);
      const mail = new Mail(rules.triesAgain ? sameInEveryBlockingTry(job) : job);
      due.push({ mail, place: null, at: clock.now() });
    } catch (error) {
      settle(new Mail(job), failedDelivery(job, toEmailError(error)));
    }
  }
  deliverDue();
  return results;
}

/** Delivers mails until all are through. */
function deliverAll(host: WrapperHost, mails: readonly Due[], settle: Settle): void {
  const { rules, clock } = host;
  let due = mails;
  for (let most = rules.begun ? FIRST_ROUND : mails.length; due.length > 0; most *= 2) {
    block(due.reduce((earliest, { at }) => Math.min(earliest, at), Number.POSITIVE_INFINITY) - clock.now());
    const now = clock.now();
    const round = due.filter(({ at }) => at <= now).slice(0, most);
    const inRound = new Set(round);
    const goOn = [...byPlace(host, round, settle)].flatMap(([place, tried]) => tryAt(host, place, tried, settle));
    due = [...goOn, ...due.filter((each) => !inRound.has(each))];
  }
}

/** The mails of a round by the connections that they go to. */
function byPlace({ rules }: WrapperHost, round: readonly Due[], settle: Settle): ReadonlyMap<number, readonly Mail[]> {
  const places = new Map<number, Mail[]>();
  for (const { mail, place: given } of round) {
    try {
      const place = given ?? rules.first(mail.job.message);
      rules.begun?.(place);
      const mails = places.get(place) ?? [];
      mails.push(mail);
      places.set(place, mails);
    } catch (error) {
      settle(mail, failedDelivery(mail.job, toEmailError(error)));
    }
  }
  return places;
}

/** One try of some mails at one connection; gives those that go on. */
function tryAt(host: WrapperHost, place: number, mails: readonly Mail[], settle: Settle): readonly Due[] {
  const { rules, name, parts, clock } = host;
  const { part, name: via } = parts[place] as NamedPart; // rules name none but those that there are
  const answers = new Map<Mail, DeliveryResult>();
  const given: { readonly mail: Mail; readonly given: PartJob }[] = [];
  for (const mail of mails) {
    mail.begin(place);
    mail.trace = beginTry(name, via);
    const job = jobFor(mail.job, mail.tried, rules.isTriedOnce);
    const admitted = admit(part, job);
    if ('job' in admitted) given.push({ mail, given: admitted });
    else answers.set(mail, admitted);
  }
  const told = deliverAt(
    part,
    given.map((each) => each.given.job),
  );
  const byIndex = new Map(told.map((answer) => [answer.index, answer]));
  for (const { mail, given: partJob } of given) {
    const answer = byIndex.get(mail.job.index);
    answers.set(
      mail,
      answer ? answered(partJob, answer) : { index: mail.job.index, messageId: null, recipients: new Map() },
    );
  }
  const goOn: Due[] = [];
  for (const [mail, answer] of answers) {
    part.count(answer);
    rules.ended?.(place, answer, false);
    mail.note(via, answer);
    if (mail.trace !== null) endTry(mail.trace, answer);
    tellOfTry(name, via, mail.tried, answer);
    const left = rules.goesOn === undefined ? [] : mail.left(rules.goesOn);
    const { places, job } = mail;
    const isTriedOnce = job.isTriedOnce === true;
    const next = left.length === 0 ? null : (rules.next?.({ places, left, isTriedOnce }) ?? null);
    if (next === null) settle(mail, mail.result());
    else {
      mail.tried = messageFor(job.message, left);
      goOn.push({ mail, place: next.place, at: clock.now() + next.afterMs });
    }
  }
  return goOn;
}

/** What the connection throws is the answer to each: others of the call may be sent by now. */
function deliverAt(part: Part, jobs: readonly Job[]): readonly DeliveryResult[] {
  try {
    return jobs.length === 0 ? [] : part.deliverSync(jobs);
  } catch (error) {
    return jobs.map((job) => failedDelivery(job, toEmailError(error)));
  }
}

/** Waits for its turn; those before it go first, or all would go at once in the end. */
function takeTurn({ rules }: WrapperHost, { message }: Job, beforeWaiting: () => void): void {
  if (rules.turnNow === undefined) return;
  const count = message.recipients.length;
  for (let ms = rules.turnNow(count); ms > 0; ms = rules.turnNow(count)) {
    beforeWaiting();
    block(ms);
  }
}

function block(ms: number): void {
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.ceil(ms));
}
