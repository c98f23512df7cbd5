import type { OptionTable } from '../options/option-table.ts';
import { isObject } from '../util/json.ts';

/** Who may see the page: a function that decides about each request, or a name and password that browsers ask for (Basic, RFC 7617). */
export type DashboardAuth =
  | ((request: Request) => boolean | Promise<boolean>)
  | { readonly username: string; readonly password: string };

/** Options of `outbox.dashboard`. */
export interface DashboardOptions {
  /**
   * Default: none, and only requests to this machine's own names (localhost, 127.0.0.1) are answered that came by no proxy, and, where
   * Express, Fastify or Nest tells, from this machine. Elsewhere anybody may write such a Host.
   */
  readonly auth?: DashboardAuth;
  /** Refuses every change; default false. */
  readonly readOnly?: boolean;
}

/** What the dashboard accepts. */
export const DASHBOARD_OPTIONS: OptionTable<DashboardOptions> = /* @__PURE__ */ (() => ({
  auth: {
    type: 'custom',
    expected: 'a function of the request, or { username, password }, neither of them empty and no colon in the name',
    check: (value) => typeof value === 'function' || isLogin(value),
    secret: true,
  },
  readOnly: { type: 'boolean' },
}))();

function isLogin(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { username, password, ...rest } = value;
  const isText = (text: unknown) => typeof text === 'string' && text !== '';
  return isText(username) && isText(password) && !String(username).includes(':') && Object.keys(rest).length === 0;
}
