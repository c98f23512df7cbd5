import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The programs that tests need, by the name in `*.NAME.test.ts`. */
const PROGRAMS: Readonly<Record<string, string>> = {
  postfix: '/usr/sbin/postfix',
  dovecot: '/usr/sbin/dovecot',
  exim: fileURLToPath(new URL('../.cache/exim/exim4', import.meta.url)), // scripts/get-exim.sh puts it there
  tinyproxy: fileURLToPath(new URL('../.cache/proxies/tinyproxy', import.meta.url)), // scripts/get-proxies.sh
  saslauthd: '/usr/sbin/saslauthd',
  python: '/usr/bin/python3',
  chromium: '/usr/bin/chromium',
  swaks: '/usr/bin/swaks',
  msmtp: '/usr/bin/msmtp',
  postgres: postgresProgram('postgres'),
  redis: '/usr/bin/redis-server',
};

/**
 * The tests to leave out as globs, because the programs they need are missing; with AMSDAL_TEST_ALL=1 nothing may be missing.
 *
 * @throws what is missing, if nothing may be.
 */
export function testsToLeaveOut(
  env: Readonly<Record<string, string | undefined>> = process.env,
  exists: (path: string) => boolean = existsSync,
): string[] {
  const globs = Object.entries(PROGRAMS)
    .filter(([, path]) => !exists(path))
    .map(([name]) => `*.${name}.test.ts`);
  if (globs.length > 0 && env['AMSDAL_TEST_ALL'] === '1')
    throw new Error(`AMSDAL_TEST_ALL=1 runs every test, but these need what is not installed: ${globs.join(', ')}`);
  return globs;
}

/** The path of a program of the newest Postgres server, which Debian has in a folder of its version, outside PATH. */
export function postgresProgram(name: string): string {
  const folder = '/usr/lib/postgresql';
  const versions = existsSync(folder) ? readdirSync(folder).map(Number).filter(Number.isFinite) : [];
  return `${folder}/${Math.max(0, ...versions)}/bin/${name}`;
}
