import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { testsToLeaveOut } from './test/programs.ts';

const leftOut = testsToLeaveOut();
if (leftOut.length > 0) console.warn(`Left out, as the programs they need are not installed: ${leftOut.join(', ')}`);

/** `*.live.test.ts` sends through a real account of Amazon SES: only who sets AMSDAL_TEST_SES=1 wants that. */
const isLive = process.env['AMSDAL_TEST_SES'] === '1';
if (!isLive) console.warn('Left out, as it needs a real account: *.live.test.ts (AMSDAL_TEST_SES=1 runs it)');

/** What a run covers has a folder for each project, as `npm test` and `npm run test:slow` are counted together. */
const [, project = 'all'] = /--project[= ](\w+)/.exec(process.argv.join(' ')) ?? [];
const reportsDirectory = `coverage/${project}`;
/** Where processes and threads started by tests leave what they covered. */
const processCoverage = fileURLToPath(new URL(`${reportsDirectory}/processes`, import.meta.url));
const covering = process.argv.some((argument) => argument.startsWith('--coverage'));

/** What is slow, or costs much and seldom finds something: `npm run test:slow`. */
const SLOW = 'test/**/*.slow.{test,*.test}.ts';
/** Trials of the packed package with packages of their own: `npm run test:bundles`. */
const BUNDLES = 'test/bundles/*.test.ts';
/** Our requests beside those of the vendors' own SDKs, which are installed apart: `npm run test:sdk`. */
const SDK = 'test/sdk/*.test.ts';
/** What other libraries do where a provider fails, which are installed apart: `npm run trial:wrappers`. */
const PEERS = 'test/peers/*.test.ts';
const exclude = [
  ...configDefaults.exclude,
  ...(isLive ? [] : ['test/**/*.live.test.ts']),
  ...leftOut.map((glob) => `test/**/${glob}`),
];

/** The AWS SDK asks no machine for credentials, and does not warn of the next year's Node. */
const AWS = { AWS_EC2_METADATA_DISABLED: 'true', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: [...exclude, SLOW, BUNDLES, SDK, PEERS] },
      },
      { extends: true, test: { name: 'slow', include: [SLOW], exclude } },
      {
        extends: true,
        // One file after the other: each starts bundlers and servers that use every core by themselves.
        test: { name: 'bundles', include: [BUNDLES], testTimeout: 600_000, fileParallelism: false },
      },
      { extends: true, test: { name: 'sdk', include: [SDK] } },
      { extends: true, test: { name: 'peers', include: [PEERS] } },
    ],
    globalSetup: 'test/global-setup.ts',
    maxWorkers: availableParallelism() + 1, // tests wait for servers and timers about a third of their time
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
      reportsDirectory,
      reportOnFailure: true,
    },
  },
});
