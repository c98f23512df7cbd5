type Listener = () => void;

/** What can end early as a signal can, but keeps its listeners itself: a signal of the runtime's is slow to make. */
export interface Ending {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** Called once, when it ends. */
  readonly listeners: Set<Listener>;
}

/** The one listener of a signal, which calls all others. */
class Registration {
  readonly listeners = new Set<Listener>();

  handleEvent(): void {
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }
}

const registrations = new WeakMap<AbortSignal, Registration>();

/**
 * Calls `listener` once when `signal` aborts; never if it has already aborted.
 *
 * All listeners share one on the signal itself: a caller may use one signal for many mails, and Node warns of a leak at the
 * eleventh listener.
 */
export function addAbortListener(signal: AbortSignal | Ending | undefined, listener: Listener): void {
  if (signal === undefined || signal.aborted) return;
  if ('listeners' in signal) {
    signal.listeners.add(listener);
    return;
  }
  let registration = registrations.get(signal);
  if (registration === undefined) {
    registration = new Registration();
    registrations.set(signal, registration);
    signal.addEventListener('abort', registration, { once: true });
  }
  registration.listeners.add(listener);
}

/** Removes a listener; nothing is left on the signal after the last one. */
export function removeAbortListener(signal: AbortSignal | Ending | undefined, listener: Listener): void {
  if (signal === undefined) return;
  if ('listeners' in signal) {
    signal.listeners.delete(listener);
    return;
  }
  const registration = registrations.get(signal);
  if (registration === undefined) return;
  registration.listeners.delete(listener);
  if (registration.listeners.size > 0) return;
  registrations.delete(signal);
  signal.removeEventListener('abort', registration);
}
