import { isObject } from '../../util/json.ts';
import type { Problem } from './vendor.ts';

/**
 * What a field of a request must be. A table names every field there is, those that must be there with a `!` behind; a list of one
 * entry is a list of such; `bytes` are a list of integers, which may be long; `anything` is not looked into.
 */
export type Shape =
  | 'text'
  | 'base64'
  | 'integer'
  | 'boolean'
  | 'object'
  | 'texts'
  | 'bytes'
  | 'anything'
  | readonly [Shape]
  | Choice
  | Table;

/** By the name of the field. */
export interface Table {
  readonly [field: string]: Shape;
}

/** One of several shapes. */
export class Choice {
  readonly shapes: readonly Shape[];

  constructor(...shapes: readonly Shape[]) {
    this.shapes = shapes;
  }
}

/** A text, or a list of texts. */
export const TEXT_OR_LIST: Choice = /* @__PURE__ */ new Choice('text', ['text']);

/** Every field that is missing, unknown or of another type, with its path (`to[0].email`). */
export function findProblems(value: unknown, shape: Shape, path = ''): readonly Problem[] {
  const wrong = (): readonly Problem[] => [
    { kind: 'type', field: path, message: `must be ${wordsOf(shape)}, got ${typeOf(value)}` },
  ];
  if (typeof shape === 'string') return isOf(value, shape) ? [] : wrong();
  if (shape instanceof Choice)
    return shape.shapes.some((each) => isAsIs(value, each)) ? [] : nearest(value, shape, path);
  if (isList(shape)) {
    if (!Array.isArray(value)) return wrong();
    return value.flatMap((entry, index) => findProblems(entry, shape[0], `${path}[${index}]`));
  }
  if (!isObject(value)) return wrong();
  const under = (field: string): string => (path === '' ? field : `${path}.${field}`);
  const known = new Map(Object.entries(shape).map(([field, inner]) => [field.replace(/!$/, ''), inner]));
  const needed = Object.keys(shape).flatMap((field) => (field.endsWith('!') ? [field.slice(0, -1)] : []));
  const missing = needed.filter((field) => value[field] === undefined);
  return [
    ...missing.map((field): Problem => ({ kind: 'missing', field: under(field), message: 'is missing' })),
    ...Object.entries(value).flatMap(([field, inner]) => {
      const expected = known.get(field);
      if (expected !== undefined) return findProblems(inner, expected, under(field));
      return [{ kind: 'unknown', field: under(field), message: 'is no field of this request' } as const];
    }),
  ];
}

function isAsIs(value: unknown, shape: Shape): boolean {
  return findProblems(value, shape).length === 0;
}

/** What is wrong with a value that is one of several in kind, or that it is none of them. */
function nearest(value: unknown, choice: Choice, path: string): readonly Problem[] {
  const [inner] = choice.shapes
    .map((shape) => findProblems(value, shape, path))
    .filter((problems) => problems.every(({ field }) => field !== path));
  return inner ?? [{ kind: 'type', field: path, message: `must be ${wordsOf(choice)}, got ${typeOf(value)}` }];
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function wordsOf(shape: Shape): string {
  if (shape instanceof Choice) return shape.shapes.map(wordsOf).join(' or ');
  if (isList(shape)) return 'an array';
  if (typeof shape !== 'string') return 'an object';
  return WORDS[shape];
}

const WORDS: Readonly<Record<Extract<Shape, string>, string>> = {
  text: 'a string',
  base64: 'a string in base64',
  integer: 'an integer',
  boolean: 'a boolean',
  object: 'an object',
  texts: 'an object of strings',
  bytes: 'an array of integers',
  anything: 'anything',
};

/** The type of a value, in the words of JSON. */
function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isOf(value: unknown, type: Extract<Shape, string>): boolean {
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'base64':
      return typeof value === 'string' && isBase64(value);
    case 'integer':
      return Number.isInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'object':
      return isObject(value);
    case 'texts':
      return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
    case 'bytes':
      return Array.isArray(value) && value.every(Number.isInteger);
    case 'anything':
      return true;
  }
}

/** Whether a text is base64 (RFC 4648), in lines or not; a regular expression over megabytes would overflow the stack. */
function isBase64(text: string): boolean {
  const plain = text.replace(/[\r\n]+/g, '').replace(/={1,2}$/, '');
  return plain.length % 4 !== 1 && Buffer.from(plain, 'base64').length === Math.floor((plain.length * 3) / 4);
}
