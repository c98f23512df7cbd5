import type { EmailBackend } from '../backend/backend.ts';
import { ConfigurationError, EmailError } from '../model/errors.ts';
import { checkOptions } from '../options/option-table.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { storeWaitMs } from '../outbox/store-wait.ts';
import { WORK_OPTIONS, type WorkOptions } from '../outbox/work-options.ts';
import { pause } from '../util/pause.ts';
import { reasonOf } from '../util/reason.ts';

/** How a worker runs that begins and ends with an application. */
export type AppWorkOptions = Omit<WorkOptions, 'signal' | 'once'>;

const APP_WORK_OPTIONS = /* @__PURE__ */ (({ signal: _, once: __, ...rest }) => rest)(WORK_OPTIONS);

/** Those that have a worker of {@link startWork}: a plugin and an adapter may both ask for one. */
const working = /* @__PURE__ */ new WeakSet<Outbox>();

/** The outbox that a connection is; null for any other. */
export async function outboxOf(connection: EmailBackend): Promise<Outbox | null> {
  const open: unknown = Reflect.get(connection, 'outbox'); // by shape: another copy of this package may have made it
  return typeof open === 'function' ? open.call(connection) : null;
}

/**
 * Starts a worker, which begins again where it cannot go on; returns the function that lets it finish what is under way.
 *
 * @param verify whether a store that does not answer is an error; else it is waited for.
 * @throws {ConfigurationError} for what waiting does not mend, such as tables that are missing or an unknown lane.
 */
export async function startWork(
  outbox: Outbox,
  options: AppWorkOptions | true,
  verify: boolean,
): Promise<() => Promise<void>> {
  if (options !== true) checkOptions('work', APP_WORK_OPTIONS, Object(options));
  if (working.has(outbox)) return async () => {};
  working.add(outbox);
  const stop = new AbortController();
  const work = () => outbox.work({ ...(options !== true && options), signal: stop.signal });
  const first = work();
  try {
    await Promise.race([first, outbox.list({ limit: 1 })]);
  } catch (error) {
    if (verify || error instanceof ConfigurationError) {
      stop.abort();
      await first.catch(() => {});
      working.delete(outbox);
      throw error;
    }
  }
  const running = goOn(first, work, stop.signal);
  return async () => {
    stop.abort();
    await running;
    working.delete(outbox);
  };
}

async function goOn(first: Promise<unknown>, again: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  for (let failures = 0, run = first; ; run = again()) {
    try {
      await run;
      return; // its signal has ended it
    } catch (error) {
      warn(error);
    }
    if (!(await pause(storeWaitMs(failures++), signal))) return;
  }
}

function warn(error: unknown): void {
  process.emitWarning(`the worker of the outbox has stopped, and begins again: ${reasonOf(error)}`, {
    type: 'AmsdalMailWarning',
    code: error instanceof EmailError ? error.code : 'unknown',
  });
}
