/** A connection that can say QUIT without waiting for the reply. */
export interface QuittableConnection {
  hangUp(): void;
}

const idle = new Set<QuittableConnection>();
let isListening = false;

/** The idle connections: they do not keep the process alive, and say QUIT when it ends. */
export const idleAtExit: Pick<Set<QuittableConnection>, 'delete'> & { add(connection: QuittableConnection): void } = {
  add(connection) {
    idle.add(connection);
    if (isListening) return;
    isListening = true;
    // One listener for all connections; what is written here still leaves, since a socket tries to write at once.
    process.once('exit', () => {
      for (const each of idle) each.hangUp();
    });
  },
  delete: (connection) => idle.delete(connection),
};
