/**
 * What a field of a request must be. A table names every field there is, those that must be there with a `!` behind; a list of one
 * entry is a list of such.
 */
export type Shape = 'text' | 'filled' | 'base64' | 'integer' | 'boolean' | 'json' | 'texts' | readonly [Shape] | Table;
/** By name. */
export interface Table {
  readonly [field: string]: Shape;
}

/** Every field that is missing, unknown or of another type, with its path. */
export function findFaults(value: unknown, shape: Shape, path = ''): readonly string[] {
  if (typeof shape === 'string')
    return isOf(value, shape) ? [] : [`${path} must be ${shape}, got ${JSON.stringify(value)}`];
  if (isList(shape)) {
    if (!Array.isArray(value)) return [`${path} must be a list`];
    return value.flatMap((entry, index) => findFaults(entry, shape[0], `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} must be an object`];
  const known = new Map(Object.entries(shape).map(([field, inner]) => [field.replace(/!$/, ''), inner]));
  const needed = Object.keys(shape).filter((field) => field.endsWith('!'));
  return [
    ...needed.flatMap((field) => (field.slice(0, -1) in value ? [] : [`${path}.${field.slice(0, -1)} is missing`])),
    ...Object.entries(value).flatMap(([field, inner]) => {
      const expected = known.get(field);
      return expected === undefined
        ? [`${path}.${field} is no field`]
        : findFaults(inner, expected, `${path}.${field}`);
    }),
  ];
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function isOf(value: unknown, type: Extract<Shape, string>): boolean {
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'filled':
      return typeof value === 'string' && value !== '';
    case 'base64':
      return typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0;
    case 'integer':
      return Number.isInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'json':
      return typeof value === 'object' && value !== null;
    case 'texts':
      return (
        typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string')
      );
  }
}
