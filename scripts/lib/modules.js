// @ts-check
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/**
 * One place where a module reaches another one.
 *
 * `static` and `type` are import and export-from declarations, `dynamic` is `import('...')`, `builtin` is
 * `process.getBuiltinModule('...')`. `target` is a file below the folder, null for other packages.
 *
 * @typedef {{ kind: 'static' | 'type' | 'dynamic' | 'builtin', specifier: string, target: string | null, line: number }} Import
 */

/**
 * The facts about a source file that rules check; `path` is relative to the folder, lines count from 1.
 *
 * @typedef {{
 *   path: string,
 *   lineCount: number,
 *   imports: Import[],
 *   exportAll: number[],
 *   bareImports: number[],
 *   topLevelAwait: number[],
 *   processEnv: number[],
 * }} Module
 */

/**
 * Reads every TypeScript file below a folder.
 *
 * @param {string} folder
 * @returns {Module[]}
 */
export function readModules(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .sort()
    .map((path) => readModule(path, readFileSync(join(folder, path), 'utf8')));
}

/**
 * @param {string} path
 * @param {string} text
 * @returns {Module}
 */
function readModule(path, text) {
  const { program, errors } = parseSync(path, text);
  if (errors[0]) throw new SyntaxError(`${path}: ${errors[0].message}`);
  const lineOf = lineCounter(text);
  /** @type {Module} */
  const module = {
    path,
    lineCount: lineOf(text.trimEnd().length),
    imports: [],
    exportAll: [],
    bareImports: [],
    topLevelAwait: [],
    processEnv: [],
  };
  /** @type {(kind: Import['kind'], specifier: string, start: number) => void} */
  const add = (kind, specifier, start) => {
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null;
    module.imports.push({ kind, specifier, target, line: lineOf(start) });
  };
  let depth = 0;
  const enter = () => {
    depth++;
  };
  const leave = () => {
    depth--;
  };

  new Visitor({
    ImportDeclaration(node) {
      add(node.importKind === 'type' ? 'type' : 'static', node.source.value, node.start);
      if (node.specifiers.length === 0) module.bareImports.push(lineOf(node.start));
    },
    ExportNamedDeclaration(node) {
      if (node.source) add(node.exportKind === 'type' ? 'type' : 'static', node.source.value, node.start);
    },
    ExportAllDeclaration(node) {
      add(node.exportKind === 'type' ? 'type' : 'static', node.source.value, node.start);
      module.exportAll.push(lineOf(node.start));
    },
    ImportExpression(node) {
      const specifier = literal(node.source);
      if (specifier !== null) add('dynamic', specifier, node.start);
    },
    TSImportType(node) {
      const specifier = literal(node.source);
      if (specifier !== null) add('type', specifier, node.start);
    },
    CallExpression(node) {
      const { callee } = node;
      const [argument] = node.arguments;
      if (callee.type !== 'MemberExpression' || !isNamed(callee.property, 'getBuiltinModule') || !argument) return;
      const specifier = literal(argument);
      if (specifier !== null) add('builtin', specifier, node.start);
    },
    MemberExpression(node) {
      if (isNamed(node.object, 'process') && isNamed(node.property, 'env')) module.processEnv.push(lineOf(node.start));
    },
    AwaitExpression(node) {
      if (depth === 0) module.topLevelAwait.push(lineOf(node.start));
    },
    FunctionDeclaration: enter,
    'FunctionDeclaration:exit': leave,
    FunctionExpression: enter,
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: enter,
    'ArrowFunctionExpression:exit': leave,
  }).visit(program);
  return module;
}

/** @type {(node: { type: string, value?: unknown }) => string | null} */
function literal(node) {
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : null;
}

/** @type {(node: { type: string, name?: unknown }, name: string) => boolean} */
function isNamed(node, name) {
  return node.type === 'Identifier' && node.name === name;
}

/** @type {(text: string) => (offset: number) => number} */
function lineCounter(text) {
  return (offset) => text.slice(0, offset).split('\n').length;
}
