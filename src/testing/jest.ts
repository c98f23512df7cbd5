import type { MailMatchers } from './matchers.ts';

export { mailSnapshotSerializer } from './mail-snapshot.ts';
export { mailMatchers } from './matchers.ts';

// biome-ignore lint/suspicious/noTsIgnore: an error only where the module is not there
/** @ts-ignore Its types are extended where it is used, and need not be there elsewhere. */
declare module 'expect' {
  interface Matchers<R> extends MailMatchers<R> {}
}

declare global {
  // biome-ignore lint/style/noNamespace: where @types/jest has its matchers
  namespace jest {
    interface Matchers<R, T> extends MailMatchers<R> {}
  }
}
