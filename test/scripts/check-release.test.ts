import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { releaseFaults } from '../../scripts/check-release.js';

const READY = {
  version: '1.0.0',
  repository: { url: 'git+https://git.somewhere.dev/mail.git' },
  bugs: { url: 'https://git.somewhere.dev/mail/issues' },
  homepage: 'https://git.somewhere.dev/mail#readme',
};
const placeholder = (field: string, address: string) =>
  `${field}: '${address}' is a placeholder; set the address of the project`;

test.each([
  [READY, []],
  [{ ...READY, repository: 'https://git.somewhere.dev/mail', bugs: 'https://git.somewhere.dev/mail/issues' }, []],
  [{ ...READY, homepage: 'https://example.invalid/' }, [placeholder('homepage', 'https://example.invalid/')]],
  [{ ...READY, homepage: 'https://www.example.com/' }, [placeholder('homepage', 'https://www.example.com/')]],
  [{ ...READY, homepage: 'https://example.somewhere.dev/' }, []],
  [
    { ...READY, repository: { url: 'git+https://example.invalid/mail.git' } },
    [placeholder('repository', 'git+https://example.invalid/mail.git')],
  ],
  [{ ...READY, bugs: {} }, ['bugs: it is missing']],
  [{ ...READY, homepage: '' }, ['homepage: it is missing']],
  [{ ...READY, homepage: 'our page' }, ["homepage: 'our page' is no URL"]],
  [{ ...READY, homepage: 'http://somewhere.dev/' }, ["homepage: 'http://somewhere.dev/' is not https"]],
  [{ ...READY, version: '0.0.0' }, [expect.stringMatching(/^version: run `npx changeset version`/)]],
  [{ ...READY, version: '0.0.0-canary.1' }, [expect.stringMatching(/^version: /)]],
  [{}, [/^repository/, /^bugs/, /^homepage/, /^version/].map((field) => expect.stringMatching(field))],
])('what is refused: %j', (manifest, faults) => {
  expect(releaseFaults(manifest)).toEqual(faults);
});

test('the release asks first, and the command tells what this package lacks', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  expect(manifest.scripts.release).toMatch(/^node scripts\/check-release\.js && .*changeset publish$/);
  const { status, stdout } = spawnSync(process.execPath, ['scripts/check-release.js'], { cwd: root, encoding: 'utf8' });
  const faults = releaseFaults(manifest);
  expect(stdout).toBe(faults.map((fault) => `release: ${fault}\n`).join(''));
  expect(status).toBe(faults.length === 0 ? 0 : 1);
});
