import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../../src/model/errors.ts';
import {
  type AnyOptionTable,
  checkOptions,
  describe as describeSpec,
  type OptionSpec,
  parseOption,
} from '../../src/options/option-table.ts';

const TABLE: AnyOptionTable = {
  host: { type: 'string' },
  password: { type: 'string', secret: true },
  port: { type: 'integer', min: 1, max: 65_535 },
  idleMs: { type: 'integer', min: 0 },
  useTls: { type: 'boolean' },
  mode: { type: 'enum', values: ['fast', 'safe'] },
  timeouts: { type: 'object', fields: { connect: { type: 'integer', min: 1 } } },
  log: { type: 'custom', expected: 'a function', check: (value) => typeof value === 'function' },
  token: {
    type: 'custom',
    expected: 'a token',
    check: (value) => value === 'good',
    parse: (text) => text,
    secret: true,
  },
};

function failure(options: object): ConfigurationError {
  try {
    checkOptions('TestBackend', TABLE, options);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('it passed');
}

test('right options pass, and what is undefined counts as not given', () => {
  checkOptions('TestBackend', TABLE, {
    host: 'h',
    password: 'p',
    port: 25,
    idleMs: 0,
    useTls: false,
    mode: 'safe',
    timeouts: { connect: 5 },
    log: () => {},
    token: 'good',
  });
  checkOptions('TestBackend', TABLE, { host: undefined, timeouts: { connect: undefined } });
});

describe('a wrong value names the option, what it takes and what it got', () => {
  test.each([
    [{ host: 7 }, 'TestBackend: host must be a string, got 7'],
    [{ host: ['a'] }, 'TestBackend: host must be a string, got an object'],
    [{ port: 0 }, 'TestBackend: port must be an integer from 1 to 65535, got 0'],
    [{ port: 65_536 }, 'TestBackend: port must be an integer from 1 to 65535, got 65536'],
    [{ port: '25' }, "TestBackend: port must be an integer from 1 to 65535, got '25'"],
    [{ port: 2.5 }, 'TestBackend: port must be an integer from 1 to 65535, got 2.5'],
    [{ port: Number.NaN }, 'TestBackend: port must be an integer from 1 to 65535, got NaN'],
    [{ idleMs: -1 }, 'TestBackend: idleMs must be an integer of at least 0, got -1'],
    [{ useTls: 'true' }, "TestBackend: useTls must be true or false, got 'true'"],
    [{ useTls: null }, 'TestBackend: useTls must be true or false, got null'],
    [{ mode: 'slow' }, "TestBackend: mode must be one of 'fast', 'safe', got 'slow'"],
    [{ log: 'x' }, "TestBackend: log must be a function, got 'x'"],
    [{ log: {} }, 'TestBackend: log must be a function, got an object'],
    [{ timeouts: 5 }, 'TestBackend: timeouts must be an object with connect, got 5'],
    [{ timeouts: { connect: 0 } }, 'TestBackend option timeouts: connect must be an integer of at least 1, got 0'],
  ])('%o', (options, message) => {
    expect(failure(options)).toMatchObject({ code: 'invalid-option', message });
  });

  test('a secret is not shown', () => {
    expect(failure({ password: 1234 }).message).toBe('TestBackend: password must be a string, got a secret number');
    expect(failure({ token: 'hunter2' }).message).not.toContain('hunter2');
  });
});

test.each([
  [{ hosst: 'x' }, "TestBackend: unknown option 'hosst'; did you mean 'host'?"],
  [
    { colour: 'x' },
    "TestBackend: unknown option 'colour'; known options: host, password, port, idleMs, useTls, mode, timeouts, log, token",
  ],
  [{ use_tls: true }, "TestBackend: unknown option 'use_tls'; did you mean 'useTls'?"],
  [{ timeouts: { Connect: 1 } }, "TestBackend option timeouts: unknown option 'Connect'; did you mean 'connect'?"],
  [{ toString: 1 }, /unknown option 'toString'/],
  [JSON.parse('{"__proto__": 1}'), /unknown option '__proto__'/],
])('an unknown option is refused with advice: %o', (options, message) => {
  expect(failure(options)).toMatchObject({
    code: 'unknown-option',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });
});

describe('an option read from text', () => {
  const cases: [OptionSpec, string, unknown][] = [
    [{ type: 'string' }, 'x', 'x'],
    [{ type: 'boolean' }, 'TRUE', true],
    [{ type: 'boolean' }, '1', true],
    [{ type: 'boolean' }, 'yes', true],
    [{ type: 'boolean' }, 'on', true],
    [{ type: 'boolean' }, 'False', false],
    [{ type: 'boolean' }, '0', false],
    [{ type: 'boolean' }, 'no', false],
    [{ type: 'boolean' }, 'off', false],
    [{ type: 'boolean' }, 'ja', undefined],
    [{ type: 'integer', min: 1, max: 9 }, '5', 5],
    [{ type: 'integer', min: 1, max: 9 }, '10', undefined],
    [{ type: 'integer', min: 1 }, '5x', undefined],
    [{ type: 'integer', min: 1 }, '-5', undefined],
    [{ type: 'integer', min: 1 }, '1e3', undefined],
    [{ type: 'integer', min: 1 }, '99999999999999999999', undefined],
    [{ type: 'enum', values: ['a'] }, 'a', 'a'],
    [{ type: 'enum', values: ['a'] }, 'A', undefined],
    [{ type: 'object', fields: {} }, '{}', undefined],
    [{ type: 'custom', expected: 'x', check: () => true }, 'x', undefined],
    [{ type: 'custom', expected: 'x', check: (v) => v === 3, parse: Number }, '3', 3],
    [{ type: 'custom', expected: 'x', check: (v) => v === 3, parse: Number }, '4', undefined],
  ];
  test.each(cases)('%o of %j is %j', (spec, text, value) => {
    expect(parseOption(spec, text)).toBe(value);
  });
});

test('describe completes "must be ..."', () => {
  expect(Object.values(TABLE).map(describeSpec)).toEqual([
    'a string',
    'a string',
    'an integer from 1 to 65535',
    'an integer of at least 0',
    'true or false',
    "one of 'fast', 'safe'",
    'an object with connect',
    'a function',
    'a token',
  ]);
});
