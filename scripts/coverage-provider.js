// @ts-check
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import v8 from '@vitest/coverage-v8';

/**
 * Vitest's v8 coverage, which covers only what vite transformed; the coverage of the built `dist` is written next to the
 * reports of child processes, where scripts/coverage.js reads both.
 *
 * @type {import('vitest/node').CoverageProviderModule}
 */
const provider = {
  ...v8,
  async getProvider() {
    return Object.assign(await v8.getProvider(), { name: 'custom' }); // the test processes choose the module by this name
  },
  async takeCoverage(options) {
    /** @type {any} vitest types it as unknown */
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
