/** What can say goodbye without waiting. */
export interface Leaver {
  hangUp(): void;
}

const leavers = new Set<Leaver>();
let isListening = false;

/** Lets an idle connection say QUIT when the process ends: it does not keep the process alive itself. */
export function quitAtExit(leaver: Leaver): void {
  leavers.add(leaver);
  if (isListening) return;
  isListening = true;
  // One listener for all connections; what is written here still leaves, since a socket tries to write at once.
  process.once('exit', () => {
    for (const each of leavers) each.hangUp();
  });
}

/** The connection is in use again, or gone. */
export function forgetAtExit(leaver: Leaver): void {
  leavers.delete(leaver);
}
