/** Imports a specifier known only at run time, which bundlers must ignore. The CommonJS build uses `require-module` instead. */
export function importModule(specifier: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ specifier);
}
