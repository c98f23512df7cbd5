/** What is to be done before the process ends by a signal. */
type Stop = (signal: NodeJS.Signals) => Promise<void>;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const stops = new Set<Stop>();

/**
 * Runs `stop` before SIGTERM or SIGINT ends the process; returns the function that takes it back.
 *
 * All of them run at once, then the signal does what it would have done; where the application listens for it, too, ending
 * is the application's. A second signal ends the process at once.
 */
export function onShutdownSignal(stop: Stop): () => void {
  if (stops.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
  stops.add(stop);
  return () => {
    if (stops.delete(stop) && stops.size === 0) unlisten();
  };
}

function unlisten(): void {
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  unlisten();
  const isOurs = process.listenerCount(signal) === 0;
  const running = [...stops].map((stop) => stop(signal));
  stops.clear();
  void Promise.allSettled(running).then((results) => {
    for (const result of results) {
      if (result.status === 'rejected')
        process.emitWarning(`shutdown failed: ${String(result.reason)}`, 'AmsdalMailWarning');
    }
    if (isOurs) process.kill(process.pid, signal);
  });
}
