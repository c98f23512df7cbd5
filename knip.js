// @ts-check
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';

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
  ignoreBinaries: ['dovecot', 'saslauthd'], // started by tests; .ci/run installs it
  ignoreDependencies: [
    '@vitest/coverage-custom', // what knip makes of `provider: 'custom'`
    ...['html-to-text', 'big-list-of-naughty-strings'], // loaded by name when they are needed
    '@types/smtp-server',
    ...['jest', '@babel/plugin-transform-dynamic-import', '@babel/plugin-transform-modules-commonjs'], // run in projects that a test makes
  ],
  // A test may look into a file, but what only tests use is dead.
  ignoreExportsUsedInFile: argv.includes('--production'),
  treatConfigHintsAsErrors: false,
};

export default config;
