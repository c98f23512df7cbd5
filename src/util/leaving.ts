/** Waits that can all be given up at once. */
export class Leaving {
  readonly #waits = new Set<() => void>();

  /** Settles as `promise` does, or with null as soon as {@link leave} is called. */
  unlessLeft<T>(promise: Promise<T>): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const leave = () => resolve(null);
      this.#waits.add(leave);
      promise.then(resolve, reject).finally(() => this.#waits.delete(leave));
    });
  }

  /** Ends every wait. */
  leave(): void {
    for (const leave of this.#waits) leave();
  }
}
