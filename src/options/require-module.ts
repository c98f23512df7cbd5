/** Replaces `import-module` in the CommonJS build, where test runners without flags have no `import()`. */
export async function importModule(specifier: string): Promise<unknown> {
  const { createRequire } = process.getBuiltinModule('node:module');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  return createRequire(import.meta.url)(specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier);
}
