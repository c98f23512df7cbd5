import { expect, test } from 'vitest';
import { extensionOf, guessMediaType } from '../../src/util/media-types.ts';

test.each([
  ['text/plain', 'txt'],
  ['text/html', 'html'],
  ['text/calendar', 'ics'],
  ['Image/JPEG', 'jpg'],
  ['image/svg+xml', 'svg'],
  ['message/rfc822', 'eml'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/octet-stream', 'bin'],
  ['application/x-unheard-of', 'bin'],
])('files of the type %s usually end with .%s', (type, extension) => {
  expect(extensionOf(type)).toBe(extension);
  if (extension !== 'bin') expect(guessMediaType(`a.${extension}`)).toBe(type.toLowerCase());
});
