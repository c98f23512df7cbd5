import { describe, expect, test } from 'vitest';
import { wrapParagraphs, wrapText } from '../../src/cli/wrap-text.ts';
import { fc } from '../properties.ts';
import { runCli } from './run-cli.ts';

describe('wrapText', () => {
  test.each([
    ['', 10, ['']],
    ['one two', 10, ['one two']],
    ['one two three', 7, ['one two', 'three']],
    ['one  two\nthree', 9, ['one two', 'three']],
    ['a verylongword b', 5, ['a', 'verylongword', 'b']],
  ] as const)('%j in %i', (text, width, lines) => {
    expect(wrapText(text, width)).toEqual(lines);
  });

  test('keeps every word, and no line is longer than it must be', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), fc.integer({ min: 1, max: 30 }), (words, width) => {
        const lines = wrapText(words.join(' '), width);
        expect(lines.join(' ')).toBe(words.join(' '));
        for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true);
      }),
    );
  });

  test('keeps paragraphs apart', () => {
    expect(wrapParagraphs('one two\n\nthree', 4)).toBe('one\ntwo\n\nthree');
  });
});

describe('help', () => {
  test('fits 80 columns in a pipe, but for command lines', async () => {
    const { stdout, code } = await runCli(['send', '--help']);
    const [prose = ''] = stdout.split('Examples:');
    expect(prose.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(code).toBe(0);
  });

  test.each([
    [
      ['help', 'send'],
      ['send', '--help'],
    ],
    [
      ['--help', 'send'],
      ['send', '-h'],
    ],
    [['help', 'help'], ['--help']],
    [['-v'], ['--version']],
  ])('%j is %j', async (args, same) => {
    const answer = await runCli(args);
    expect(answer).toEqual(await runCli(same));
    expect(answer.code).toBe(0);
  });

  test('of a command that is none says so', async () => {
    const { code, stderr } = await runCli(['help', 'sned']);
    expect(stderr).toContain('did you mean send?');
    expect(code).toBe(2);
  });
});
