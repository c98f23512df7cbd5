/** Variables by name, as `process.env` has them; an empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A view of two environments, in which `file` has what `env` does not; what changes in either later is seen. */
export function layerEnvironment(env: Environment, file: Environment): Environment {
  const lookup = (name: string | symbol): string | undefined =>
    typeof name === 'string' ? (env[name] ?? file[name]) : undefined;
  return new Proxy<Environment>(
    {},
    {
      get: (_, name) => lookup(name),
      has: (_, name) => lookup(name) !== undefined,
      ownKeys: () => [...new Set([...Object.keys(file), ...Object.keys(env)])],
      getOwnPropertyDescriptor: (_, name) => ({ value: lookup(name), enumerable: true, configurable: true }),
    },
  );
}
