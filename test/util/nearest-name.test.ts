import { describe, expect, test } from 'vitest';
import { nearestName } from '../../src/util/nearest-name.ts';
import { fc } from '../properties.ts';

const KNOWN = [
  'to',
  'cc',
  'bcc',
  'host',
  'port',
  'from',
  'send',
  'username',
  'password',
  'allowInsecureAuth',
  'useTls',
];

describe('a misspelt name', () => {
  test.each([
    ['sned', 'send'],
    ['form', 'from'],
    ['hots', 'host'],
    ['hosst', 'host'],
    ['hst', 'host'],
    ['use_tls', 'useTls'],
    ['USE-TLS', 'useTls'],
    ['usrename', 'username'],
    ['passwrod', 'password'],
    ['alowInsecurAuht', 'allowInsecureAuth'],
    ['TO', 'to'],
    ['xy', null],
    ['colour', null],
    ['', null],
    ['x'.repeat(100_000), null],
  ])('%.20j: %j', (name, nearest) => {
    expect(nearestName(name, KNOWN)).toBe(nearest);
  });

  test('is the known one when two neighbours were exchanged in it', () => {
    fc.assert(
      fc.property(fc.constantFrom('username', 'password', 'allowInsecureAuth'), fc.nat({ max: 6 }), (name, at) => {
        const letters = [...name];
        letters.splice(at, 2, letters[at + 1] ?? '', letters[at] ?? '');
        expect(nearestName(letters.join(''), KNOWN)).toBe(name);
      }),
    );
  });

  test('of two that are like it is the nearer one', () => {
    expect(nearestName('passwore', ['passport', 'password'])).toBe('password');
  });
});
