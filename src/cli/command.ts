/** One command of `amsdal-mail`. */
export interface Command {
  /** Shown by `--help`. */
  readonly help: string;
  /** Does it; the result is the process's exit code: 0 done, 1 refused, 2 wrong usage, 75 try again later. */
  run(args: readonly string[]): Promise<number>;
}

/** A command line that cannot be understood; its message is for the user. */
export class UsageError extends Error {}
