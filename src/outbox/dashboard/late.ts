import { importOwn } from '../../options/own-file.ts';
import type { openDashboard } from './dashboard.ts';

/**
 * The dashboard, which bundlers do not follow: without the files of its page it is of no use.
 *
 * @throws {ConfigurationError} `load-failed` in a bundle
 */
export async function lateDashboard(): Promise<typeof openDashboard> {
  const module = (await importOwn(import.meta.url, './dashboard', 'the dashboard needs')) as {
    readonly openDashboard: typeof openDashboard; // this package's own file
  };
  return module.openDashboard;
}
