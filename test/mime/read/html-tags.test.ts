import { expect, test } from 'vitest';
import { htmlTags } from '../../../src/mime/read/html-tags.ts';
import { linksOf } from '../../../src/mime/read/links.ts';

test.each([
  ['<a b="1 > 0" c=\'"\' D>', { b: '1 > 0', c: '"', d: '' }],
  ['<a b = 1 c\n=\n2>', { b: '1', c: '2' }],
  ['<a b=1 B=2>', { b: '1' }],
  ['<a b="&lt;&#65;&amp;">', { b: '<A&' }],
  ['<a b=x==>', { b: 'x==' }],
  ['<a b=x"y\'z<`>', { b: 'x"y\'z<`' }],
  ['<a b=x/y/ c=/>', { b: 'x/y/', c: '/' }],
  ['<a b= >', { b: '' }],
  ['<a b="">', { b: '' }],
])('the attributes of %j', (html, expected) => {
  expect([...htmlTags(html)].map(({ attributes }) => Object.fromEntries(attributes))).toEqual([expected]);
});

test('a link without quotes is read to its end', () => {
  const html = '<a href=https://example.com/confirm?token=abc==&amp;user=7 class=button>Confirm</a>';
  expect(linksOf(null, html)).toEqual(['https://example.com/confirm?token=abc==&user=7']);
});

test('what is raw text holds no tags, and what follows it does', () => {
  const html =
    '<style>a{b:"<i>"}</style><script>"<b>"</scriptx></script ><!-- <u> --><p><textarea><s></textarea><title></title><q>';
  expect([...htmlTags(html)].map(({ name }) => name)).toEqual(['style', 'script', 'p', 'textarea', 'title', 'q']);
});
