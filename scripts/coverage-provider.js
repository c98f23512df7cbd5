// @ts-check
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import v8 from '@vitest/coverage-v8';

/**
 * Vitest's own v8 coverage, which knows only what vite has transformed; what a test covers of the built `dist` is put
 * beside the reports of the processes it started, where scripts/coverage.js finds both.
 *
 * @type {import('vitest/node').CoverageProviderModule}
 */
const provider = {
  ...v8,
  async getProvider() {
    return Object.assign(await v8.getProvider(), { name: 'custom' }); // by its name the test processes choose the module
  },
  async takeCoverage(options) {
    /** @type {any} vitest says `unknown` of what its provider reads */
    const taken = await v8.takeCoverage?.(options);
    /** @type {{ readonly url: string }[]} */
    const result = taken.result;
    const built = result.filter(({ url }) => url.includes('/dist/'));
    const folder = env['NODE_V8_COVERAGE'];
    if (built.length > 0 && folder) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `vitest-${randomUUID()}.json`), JSON.stringify({ result: built }));
    }
    return { result: result.filter((entry) => !built.includes(entry)) };
  },
};

export default provider;
