import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkArchitecture } from '../../scripts/check-architecture.js';
import { checkSizes } from '../../scripts/lib/file-sizes.js';
import { readModules } from '../../scripts/lib/modules.js';
import { countFloors, findCycles, roomGraph } from '../../scripts/lib/room-graph.js';
import { withRoomTable } from '../../scripts/lib/room-table.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'architecture-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function breaches(files: Readonly<Record<string, string>>): string[] {
  write(files);
  return checkArchitecture(folder).map(({ path, line, rule, message }) => `${path}:${line} ${rule}: ${message}`);
}

describe('what the architecture allows', () => {
  const allowed: readonly (readonly [string, string, string])[] = [
    ['the model imports helpers', 'model/message.ts', "import { CRLF } from '../util/line.ts';"],
    ['files of the model import each other', 'model/message.ts', "import { Attachment } from './attachment.ts';"],
    ['smtp knows what a reply means', 'smtp/wire.ts', "import { A } from '../model/reply-status.ts';"],
    ['a room imports its own files', 'smtp/pool.ts', "import { Wire } from './wire.ts';"],
    [
      'a backend joins mime and smtp',
      'backends/smtp.ts',
      "import { composeMessage } from '../mime/compose/compose.ts';",
    ],
    ['a session opens sockets', 'smtp/session/connect.ts', "process.getBuiltinModule('node:net').connect(25);"],
    ['so does net', 'net/connect.ts', "process.getBuiltinModule('node:net').connect(25);"],
    ['types of sockets go anywhere', 'smtp/wire.ts', "import type { Socket } from 'node:net';"],
    ['types of packages, which vanish', 'backends/ses.ts', "import type { A } from '@aws-sdk/client-sesv2';"],
    ['one file reads the environment', 'options/environment.ts', 'export const host = process.env.HOST;'],
    [
      'a built-in inside a call',
      'backend/backend.ts',
      "export const read = () => process.getBuiltinModule('node:fs');",
    ],
    ['an await inside a function', 'util/wait.ts', 'export const wait = async () => { await null; };'],
    [
      'an adapter loads what it adapts to',
      'adapters/otel.ts',
      "export const load = () => import('@opentelemetry/api');",
    ],
    ['the command line resolves options', 'cli/check.ts', "import { resolveSmtpOptions } from '../smtp/options.ts';"],
    ['testing makes connections', 'testing/inbox.ts', "import { getConnection } from '../connection/connection.ts';"],
  ];
  test.each(allowed)('%s', (_, path, text) => {
    expect(breaches({ [path]: text })).toEqual([]);
  });
});

describe('what it catches, saying where, which rule and how to mend it', () => {
  const planted: readonly (readonly [string, string, string, string])[] = [
    [
      'smtp knows a message',
      'smtp/pool.ts',
      "import { A } from '../model/message.ts';",
      'rooms: imports model/message.ts; smtp may import net, options, model/errors.ts, model/reply-status.ts, util',
    ],
    [
      'even as a type',
      'smtp/pool.ts',
      "import type { A } from '../model/message.ts';",
      'rooms: imports model/message.ts',
    ],
    [
      'or inside a type',
      'smtp/pool.ts',
      "export type A = import('../model/message.ts').A;",
      'rooms: imports model/message.ts',
    ],
    [
      'util knows the errors',
      'util/json.ts',
      "import type { A } from '../model/errors.ts';",
      'rooms: imports model/errors.ts; util may import nothing of ours',
    ],
    [
      'mime knows smtp',
      'mime/dkim.ts',
      "export { A } from '../smtp/wire.ts';",
      'rooms: imports smtp/wire.ts; mime may import',
    ],
    [
      'the model knows backends',
      'model/status.ts',
      "import { A } from '../backend/job.ts';",
      'rooms: imports backend/job.ts; model may import util',
    ],
    [
      'a backend imports another',
      'backends/ses.ts',
      "import { A } from './smtp.ts';",
      'rooms: imports backends/smtp.ts; a file of backends/ stands alone',
    ],
    [
      'someone else imports a backend',
      'app/contribs.ts',
      "import { A } from '../backends/smtp.ts';",
      'rooms: imports backends/smtp.ts; app may import',
    ],
    [
      'testing imports another backend',
      'testing/inbox.ts',
      "import { A } from '../backends/smtp.ts';",
      'rooms: imports backends/smtp.ts',
    ],
    [
      'a backend reads settings lazily',
      'backends/ses.ts',
      "export const a = () => import('../options/environment.ts');",
      'rooms: imports options/environment.ts',
    ],
    ['a file without a room', 'helpers.ts', '', "room: 'helpers' is not a room"],
    [
      'a socket elsewhere',
      'smtp/pool.ts',
      "import { connect } from 'node:net';",
      'sockets: only smtp/session/connect.ts',
    ],
    [
      'a socket by its old name',
      'backends/smtp.ts',
      "import { connect } from 'tls';",
      'sockets: only smtp/session/connect.ts',
    ],
    [
      'a socket on the quiet',
      'smtp/pool.ts',
      "process.getBuiltinModule('node:tls');",
      'sockets: only smtp/session/connect.ts',
    ],
    [
      'a package',
      'backends/ses.ts',
      "import { A } from '@aws-sdk/client-sesv2';",
      "third-party: '@aws-sdk/client-sesv2': load packages through",
    ],
    [
      'a package on first use',
      'backends/ses.ts',
      "export const a = () => import('nodemailer');",
      "third-party: 'nodemailer'",
    ],
    ['export *', 'index.ts', "export * from './connection/send.ts';", 'export: name what is exported'],
    ['an import for its side effect', 'app/contribs.ts', "import '../model/message.ts';", 'side-effect: '],
    ['a top-level await', 'app/contribs.ts', 'await null;', 'top-level-await: '],
    [
      'the environment',
      'app/contribs.ts',
      'export const host = process.env.HOST;',
      'environment: only options/environment.ts',
    ],
    ['a name in camel case', 'util/someThing.ts', '', 'name: file names are kebab-case'],
    ['a file that does too much', 'app/contribs.ts', 'void 0;\n'.repeat(401), 'size: 401 lines'],
  ];
  test.each(planted)('%s', (_, path, text, expected) => {
    expect(breaches({ [path]: text })).toEqual([expect.stringContaining(expected)]);
  });

  test('a cycle, with its way, but not one of types only', () => {
    const files = {
      'mime/a.ts': "import { b } from './b.ts';",
      'mime/b.ts': "import { c } from './c.ts';",
      'mime/c.ts': "import { a } from './a.ts';",
    };
    expect(breaches(files)).toEqual([
      expect.stringContaining('cycle: mime/a.ts -> mime/b.ts -> mime/c.ts -> mime/a.ts: move what both need'),
    ]);
    expect(breaches({ 'mime/c.ts': "import type { a } from './a.ts';" })).toEqual([]);
  });

  test('rooms that import each other, with the files that do, types included', () => {
    const files = {
      'net/connect.ts': "import type { A } from '../smtp/pool.ts';",
      'smtp/pool.ts': "import { b } from '../net/route.ts';",
      'net/route.ts': '',
    };
    expect(breaches(files)).toEqual([
      expect.stringContaining('rooms: imports smtp/pool.ts'),
      'net/connect.ts:1 room-cycle: net -> smtp -> net (net/connect.ts imports smtp/pool.ts, smtp/pool.ts imports net/route.ts): move what both need to a room below them',
    ]);
    expect(breaches({ 'net/connect.ts': "export const a = () => import('../smtp/pool.ts');" })).toEqual([
      expect.stringContaining('rooms: imports smtp/pool.ts'),
    ]);
  });

  test('a built-in that is loaded with the package, with the way to it', () => {
    const files = {
      'index.ts': "export { a } from './connection/send.ts';",
      'connection/send.ts': "import { b } from '../model/message.ts';",
    };
    expect(breaches({ ...files, 'model/message.ts': "import { readFileSync } from 'node:fs';" })).toEqual([
      expect.stringContaining(
        'core: index.ts -> connection/send.ts -> model/message.ts loads node:fs with the package',
      ),
    ]);
    expect(breaches({ 'model/message.ts': "import type { Stats } from 'node:fs';" })).toEqual([]);
  });

  test('the line', () => {
    expect(breaches({ 'app.ts': '\n\n\nawait null;' })).toEqual([expect.stringMatching(/^app\.ts:4 /)]);
  });
});

describe('the rooms of a source folder', () => {
  const FILES = {
    'index.ts': "export { send } from './send.ts';",
    'send.ts': "import { open } from './smtp/open.ts';\nimport { later } from './util/later.ts';",
    'smtp/open.ts': "import type { Clock } from '../util/clock.ts';\nimport { read } from './read.ts';",
    'smtp/read.ts': "export const lint = () => import('../mime/lint.ts');",
    'mime/lint.ts': '',
    'util/clock.ts': '',
    'util/later.ts': '',
  };
  const graph = () => {
    write(FILES);
    return roomGraph(readModules(folder), (path) => path.replace(/\/.*/, ''));
  };

  test('import from each other what their files import, at load time or as types', () => {
    const arrows = [...graph()].flatMap(([room, others]) => [...others.keys()].map((other) => `${room} -> ${other}`));
    expect(arrows.sort()).toEqual(['index.ts -> send.ts', 'send.ts -> smtp', 'send.ts -> util', 'smtp -> util']);
  });

  test('have as many floors as the longest chain of them', () => {
    expect(countFloors(graph())).toBe(4);
  });

  test('count as one floor when they import each other, which is the only cycle', () => {
    const cyclic = graph();
    cyclic.get('util')?.set('smtp', { path: 'util/clock.ts', target: 'smtp/open.ts', line: 1 });
    expect(countFloors(cyclic)).toBe(3);
    expect(findCycles(cyclic)).toEqual([['smtp', 'util', 'smtp']]);
  });
});

describe('the table of rooms in docs/architecture.md', () => {
  const page = (rows: string) => `# Architecture

<!-- Written by \`npm run architecture -- --write\`, from the table in scripts/lib/rooms.js. -->

${rows}
<!-- End of what is written. -->

More.
`;

  test('is written from the rules, and nothing else of the page', () => {
    const rooms = {
      net: { what: 'the way to a server', may: ['util'], types: ['model'] },
      util: { what: '', may: [] },
    };
    expect(withRoomTable(page('an older table'), rooms)).toBe(
      page(`| Room | | Imports |
|---|---|---|
| \`net\` | the way to a server | \`util\`, types of \`model\` |
| \`util\` |  | nothing |
`),
    );
  });

  test('must have its place', () => {
    expect(() => withRoomTable('# Architecture\n', {})).toThrow('no place for the table of rooms');
  });
});

test('no script, test or file of the page may be too long, but what is vendored and fixtures', () => {
  const files: Readonly<Record<string, number>> = {
    'scripts/build.js': 401,
    'scripts/lib/modules.js': 400,
    'test/mime/compose.test.ts': 401,
    'test/fixtures/mime/long.ts': 5000,
    'src/mailbox/page/app.js': 401,
    'src/mailbox/page/style.css': 901,
    'src/mailbox/page/narrow.css': 900,
    'src/mailbox/page/vendor/preact.js': 5000,
    'src/outbox/page/mails.js': 401,
    'src/outbox/page/outbox.css': 901,
  };
  for (const [path, lines] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), '//\n'.repeat(lines));
  }
  expect(checkSizes(folder).map(({ path, line, rule }) => `${path}:${line} ${rule}`)).toEqual([
    'scripts/build.js:400 size',
    'test/mime/compose.test.ts:400 size',
    'src/mailbox/page/app.js:400 size',
    'src/mailbox/page/style.css:900 size',
    'src/outbox/page/mails.js:400 size',
    'src/outbox/page/outbox.css:900 size',
  ]);
});
