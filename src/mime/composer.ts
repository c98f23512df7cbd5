import { LateModule } from '../options/late-module.ts';

/** What turns messages into mails. */
export type Composer = typeof import('./compose/engine.ts');

/** Loaded with the first mail that is composed, so that it is in no bundle's first file. */
export const composer: LateModule<Composer> = /* @__PURE__ */ new LateModule(
  () => import('./compose/engine.ts'),
  './mime/compose/engine',
  import.meta.url,
);
