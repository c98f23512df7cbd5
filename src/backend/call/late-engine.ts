import { LateModule } from '../../options/late-module.ts';

/** What calls are made of. */
export type CallEngine = typeof import('./engine.ts');

/** Loaded with the first call that does not block, so that it is in no bundle's first file. */
export const callEngine: LateModule<CallEngine> = /* @__PURE__ */ new LateModule(
  () => import('./engine.ts'),
  './backend/call/engine',
  import.meta.url,
);
