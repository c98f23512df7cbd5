/** Imports what only run time can name; bundlers are told to leave it alone. In the CommonJS build, `require-module` takes its place. */
export function importModule(specifier: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ specifier);
}
