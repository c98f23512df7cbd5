/** Runs before a signal ends the process. */
type Stop = (signal: NodeJS.Signals) => Promise<void>;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const stops = new Set<Stop>();

/**
 * Runs `stop` before SIGTERM or SIGINT ends the process; returns the function that unregisters it.
 *
 * All of them run at once, then the signal takes its usual effect; an application that listens for it must end the process itself.
 * A second signal ends the process at once.
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
