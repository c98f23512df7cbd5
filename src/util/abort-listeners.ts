type Listener = () => void;

/** What listens to a signal on behalf of everybody in this process. */
class Registration {
  readonly listeners = new Set<Listener>();

  handleEvent(): void {
    for (const listener of this.listeners) listener();
    this.listeners.clear();
  }
}

const registrations = new WeakMap<AbortSignal, Registration>();

/**
 * Calls `listener` once when `signal` aborts; a signal that has aborted already calls nobody.
 *
 * All listeners share one on the signal itself: a caller may use one signal for any number of mails, and Node warns of a
 * leak at the eleventh listener.
 */
export function addAbortListener(signal: AbortSignal | undefined, listener: Listener): void {
  if (signal === undefined || signal.aborted) return;
  let registration = registrations.get(signal);
  if (registration === undefined) {
    registration = new Registration();
    registrations.set(signal, registration);
    signal.addEventListener('abort', registration, { once: true });
  }
  registration.listeners.add(listener);
}

/** Takes a listener away; the last one to go leaves nothing on the signal. */
export function removeAbortListener(signal: AbortSignal | undefined, listener: Listener): void {
  const registration = signal && registrations.get(signal);
  if (signal === undefined || registration === undefined) return;
  registration.listeners.delete(listener);
  if (registration.listeners.size > 0) return;
  registrations.delete(signal);
  signal.removeEventListener('abort', registration);
}
