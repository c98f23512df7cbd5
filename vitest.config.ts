import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** Tests named `*.NAME.test.ts` need a program; where it is missing they are left out, which is said, and CI fails. */
const PROGRAMS = {
  postfix: '/usr/sbin/postfix',
  dovecot: '/usr/sbin/dovecot',
  python: '/usr/bin/python3',
  chromium: '/usr/bin/chromium',
  swaks: '/usr/bin/swaks',
  msmtp: '/usr/bin/msmtp',
};

const missing = Object.entries(PROGRAMS)
  .filter(([, path]) => !existsSync(path))
  .map(([name]) => name);
if (missing.length > 0) {
  const text = missing.map((name) => `*.${name}.test.ts`).join(', ');
  if (process.env['CI']) throw new Error(`CI runs every test, but these need what is not installed: ${text}`);
  console.warn(`Left out, as the programs they need are not installed: ${text}`);
}

/** `*.live.test.ts` sends through a real account of Amazon SES: only who sets AMSDAL_TEST_SES=1 wants that. */
const isLive = process.env['AMSDAL_TEST_SES'] === '1';
if (!isLive) console.warn('Left out, as it needs a real account: *.live.test.ts (AMSDAL_TEST_SES=1 runs it)');

/** Where processes and threads started by tests leave what they covered. */
const processCoverage = fileURLToPath(new URL('coverage/processes', import.meta.url));
const covering = process.argv.some((argument) => argument.startsWith('--coverage'));

/** The AWS SDK asks no machine for credentials, and does not warn of the next year's Node. */
const AWS = { AWS_EC2_METADATA_DISABLED: 'true', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...(isLive ? [] : ['test/**/*.live.test.ts']),
      ...missing.map((name) => `test/**/*.${name}.test.ts`),
    ],
    globalSetup: 'test/global-setup.ts',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } }, // what is built is tested as it is
    env: { ...(isLive ? {} : AWS), ...(covering && { NODE_V8_COVERAGE: processCoverage }) },
    coverage: {
      provider: 'custom',
      customProviderModule: './scripts/coverage-provider.js',
      include: ['src/**/*.ts'],
      reporter: ['json'],
      reportOnFailure: true,
    },
  },
});
