import { expect, test } from 'vitest';
import { Columns, escapeHtml } from '../../../src/cli/bulk/merge-template.ts';
import { fc } from '../../properties.ts';

const columns = new Columns(['email', 'first name', '']);

test.each([
  ['Hi {{first name}}!', 'Hi Ann!'],
  ['{{ email }}{{email}}', 'a@x.orga@x.org'],
  ['{ {email} } {{email}', '{ {email} } {{email}'],
  ['nothing', 'nothing'],
])('%s becomes %s', (template, text) => {
  expect(columns.compile('--subject', template)(['a@x.org', 'Ann', ''])).toBe(text);
});

test.each(['{{name}}', '{{}}', '{{#if email}}'])('%s names no column', (template) => {
  expect(() => columns.compile('--subject', template)).toThrow(
    `--subject names ${template}, but the columns are: email, first name`,
  );
});

test('a cell that looks like a template is none', () => {
  expect(columns.compile('--subject', '{{first name}}')(['a@x.org', '{{email}}'])).toBe('{{email}}');
});

test('whatever a cell holds, HTML shows it and nothing else', () => {
  const merge = new Columns(['x']).compile('--template', '<a title="{{x}}">{{x}}</a>', escapeHtml);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', ';', '#') }), (cell) => {
      const html = merge([cell]);
      const [, inside = ''] = /^<a title="([^"<>]*)">\1<\/a>$/.exec(html) ?? [];
      const decode: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };
      expect(inside.replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => decode[name] ?? '')).toBe(cell);
    }),
  );
});

test('only the columns that are named count', () => {
  const own = new Columns(['a', 'b', 'c']);
  own.compile('--subject', '{{c}} {{a}} {{c}}');
  expect(own.used(['1', '2', '3'])).toEqual(['3', '1']);
});
