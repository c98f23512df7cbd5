import type { MailMatchers } from './inbox/matchers.ts';

export { mailSnapshotSerializer } from './inbox/mail-snapshot.ts';
export { mailMatchers } from './inbox/matchers.ts';

// biome-ignore lint/suspicious/noTsIgnore: an error only where the module is not installed
/** @ts-ignore The module is extended where it is used, and need not be installed elsewhere. */
declare module 'vitest' {
  interface Matchers<T> extends MailMatchers {}
}
