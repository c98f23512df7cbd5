/** A command line that cannot be understood; its message is for the user. */
export class UsageError extends Error {}
