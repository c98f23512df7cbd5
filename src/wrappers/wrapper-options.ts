import { BACKEND_OPTIONS, type BackendOptions, type EmailBackend } from '../backend/backend.ts';
import type { OptionSpec } from '../options/option-table.ts';

/** What a wrapper is made of; text stands for what `getConnection` makes of it: a name, `'@name'` or a URL. */
export type Connection = EmailBackend | string;

/** Options of every wrapper. */
export interface WrapperOptions extends BackendOptions {
  /** What it is made of; the class itself takes connections, `getConnection` text as well. */
  readonly connections: readonly Connection[];
}

/** The table entries that all wrappers have. */
export const WRAPPER_OPTIONS: { readonly [K in keyof WrapperOptions]-?: OptionSpec } = /* @__PURE__ */ (() => ({
  ...BACKEND_OPTIONS,
  connections: {
    type: 'custom',
    expected: "a list of connections, such as ['@primary', '@backup']",
    check: Array.isArray,
    isConnections: true,
  },
}))();
