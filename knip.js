// @ts-check
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { entryPoints } from './scripts/lib/entry-points.js';

/** @type {{ dependencies: Record<string, string> }} */
const sdks = JSON.parse(readFileSync(new URL('test/sdk/package.json', import.meta.url), 'utf8'));

/** @type {{ dependencies: Record<string, string> }} */
const peers = JSON.parse(readFileSync(new URL('test/peers/package.json', import.meta.url), 'utf8'));

/** @type {{ devDependencies: Record<string, string> }} */
const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** What only packages of their own have. */
const elsewhere = Object.keys({ ...sdks.dependencies, ...peers.dependencies }).filter(
  (name) => !Object.hasOwn(devDependencies, name),
);

/** @type {import('knip').KnipConfig} */
const config = {
  entry: [
    ...entryPoints().map(({ name }) => `src/${name}.ts!`),
    'src/cli/main.ts!',
    'src/connection/blocking-worker.ts!',
    'src/mailbox/preview-worker.ts!',
    'src/mailbox/mailbox.ts!',
    'src/mailbox/emulate/vendors.ts!',
    'src/outbox/dashboard/dashboard.ts!',
    'src/mime/compose/engine.ts!',
    'src/wrappers/engine.ts!',
    'src/backend/blocking/bridge.ts!',
    'src/options/require-module.ts!',
    'scripts/*.js',
    'bench/*.ts',
    'examples/**/*.{ts,js}',
    'test/**/*.test.ts',
    'test/bundles/programs/**/*.ts',
  ],
  project: ['src/**/*.ts!', 'scripts/**/*.js', 'test/**/*.ts', 'bench/**/*.ts'],
  ignoreBinaries: ['dovecot', 'saslauthd'], // started by tests; .ci/run installs it
  ignoreDependencies: [
    '@vitest/coverage-custom', // what knip makes of `provider: 'custom'`
    ...['html-to-text', 'big-list-of-naughty-strings', '@aws-sdk/credential-provider-node', '@photostructure/sqlite'], // loaded by name when they are needed
    '@types/smtp-server',
    'jest', // run in projects that a test makes
    ...elsewhere,
  ],
  // A test may look into a file, but what only tests use is dead.
  ignoreExportsUsedInFile: argv.includes('--production'),
  treatConfigHintsAsErrors: false,
};

export default config;
