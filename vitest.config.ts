import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { testsToLeaveOut } from './test/programs.ts';

const leftOut = testsToLeaveOut();
if (leftOut.length > 0) console.warn(`Left out, as the programs they need are not installed: ${leftOut.join(', ')}`);

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
      ...leftOut.map((glob) => `test/**/${glob}`),
    ],
    globalSetup: 'test/global-setup.ts',
    maxWorkers: '100%', // Vitest leaves one core free, and then uses one of two
    testTimeout: 60_000, // what hangs is found as well, and a busy machine is slow
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
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
