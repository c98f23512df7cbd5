// @ts-check
import { readFileSync } from 'node:fs';

const { exports, bin = {} } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const targets = [...Object.values(exports), ...Object.values(bin)];
const sources = targets.map((target) => target.replace('./dist/', 'src/').replace(/\.js$/, '.ts!'));

/** @type {import('knip').KnipConfig} */
const config = {
  entry: [
    ...sources,
    'src/sync-worker.ts!',
    'src/mailbox/preview-worker.ts!',
    'scripts/*.js',
    'bench/*.ts',
    'examples/**/*.{ts,js}',
    'test/**/*.test.ts',
  ],
  project: ['src/**/*.ts!', 'scripts/**/*.js', 'test/**/*.ts', 'bench/**/*.ts'],
  ignoreBinaries: ['dovecot'], // started by tests; .ci/run installs it
  ignoreDependencies: ['@vitest/coverage-custom'], // what knip makes of `provider: 'custom'`
  treatConfigHintsAsErrors: false,
};

export default config;
