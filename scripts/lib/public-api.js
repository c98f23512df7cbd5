// @ts-check
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';

/** @typedef {import('oxc-parser').Statement} Statement */
/** @typedef {import('oxc-parser').Declaration} Declaration */

/**
 * One public name: its emitted declaration, without comments, and what lacks a docstring.
 *
 * @typedef {{
 *   name: string,
 *   file: string,
 *   text: string,
 *   parent: string | null,
 *   members: string[],
 *   undocumented: string[],
 *   references: string[],
 * }} PublicSymbol
 */

/**
 * The public API of a package, read from its emitted declarations.
 *
 * @param {string} root the folder with package.json and dist
 * @returns {Map<string, PublicSymbol[]>} by specifier (`amsdal-mail/mime`), the names in alphabetical order
 */
export function readPublicApi(root) {
  /** @type {{ name: string, exports: Record<string, string | { import: { types: string } }> }} */
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  /** @type {Map<string, DeclarationFile>} */
  const files = new Map();
  /** @type {(path: string) => DeclarationFile} */
  const read = (path) => {
    const file = files.get(path) ?? readDeclarations(root, path);
    files.set(path, file);
    return file;
  };
  /** @type {(path: string, name: string) => PublicSymbol} */
  const find = (path, name) => {
    const file = read(path);
    const from = file.reexports.get(name);
    if (from) return { ...find(from.path, from.name), name };
    const symbol = file.symbols.get(name);
    if (!symbol) throw new Error(`${path} exports ${name}, which is declared nowhere`);
    return symbol;
  };
  return new Map(
    Object.entries(manifest.exports).flatMap(([subpath, target]) => {
      if (typeof target === 'string') return []; // package.json itself
      const path = posix.normalize(target.import.types);
      const names = read(path).exported.toSorted();
      return [[posix.join(manifest.name, subpath), names.map((name) => find(path, name))]];
    }),
  );
}

/**
 * @typedef {{
 *   exported: string[],
 *   reexports: Map<string, { path: string, name: string }>,
 *   symbols: Map<string, PublicSymbol>,
 * }} DeclarationFile
 */

/** @type {(root: string, path: string) => DeclarationFile} */
function readDeclarations(root, path) {
  const source = readFileSync(join(root, path), 'utf8');
  const { program, comments } = parseSync(path, source);
  /** @type {DeclarationFile} */
  const file = { exported: [], reexports: new Map(), symbols: new Map() };

  const documented = new Set(
    comments
      .filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
      .map(({ end }) => end + (/^\s*/.exec(source.slice(end))?.[0].length ?? 0)),
  );
  /** @type {(node: { start: number, end: number }) => string} */
  const textOf = ({ start, end }) => {
    let text = '';
    let from = start;
    for (const comment of comments.filter((each) => each.start >= start && each.end <= end)) {
      text += source.slice(from, comment.start);
      from = comment.end;
    }
    return (text + source.slice(from, end)).replace(/^\s*\n/gm, '').trim();
  };
  /** @type {(declaration: Declaration, start: number, end: number) => void} */
  const add = (declaration, start, end) => {
    for (const name of namesOf(declaration)) {
      const known = file.symbols.get(name);
      const undocumented = documented.has(start) || known ? [] : [name];
      for (const member of membersOf(declaration)) {
        if (!documented.has(member.start)) undocumented.push(`${name}.${member.name}`);
      }
      const text = textOf({ start, end });
      file.symbols.set(name, {
        name,
        file: path.replace('dist/', 'src/').replace('.d.ts', '.ts'),
        text: known ? `${known.text}\n${text}` : text,
        parent: declaration.type === 'ClassDeclaration' ? parentOf(declaration) : null,
        members: membersOf(declaration).map((member) => member.name),
        undocumented: [...(known?.undocumented ?? []), ...undocumented],
        references: [...(known?.references ?? []), ...referencesOf(declaration)],
      });
    }
  };

  for (const statement of program.body) {
    if (statement.type === 'ExportNamedDeclaration') {
      if (statement.declaration) {
        add(statement.declaration, statement.start, statement.end);
        file.exported.push(...namesOf(statement.declaration));
      }
      for (const { local, exported } of statement.specifiers) {
        const name = nameOf(exported);
        file.exported.push(name);
        if (!statement.source) continue;
        const target = posix.join(posix.dirname(path), statement.source.value).replace(/\.[jt]s$/, '.d.ts');
        file.reexports.set(name, { path: target, name: nameOf(local) });
      }
    } else if (isDeclaration(statement)) {
      add(statement, statement.start, statement.end);
    }
  }
  file.exported = [...new Set(file.exported)];
  return file;
}

/** @type {(statement: Statement) => statement is Declaration & Statement} */
function isDeclaration(statement) {
  return /Declaration$|^TSDeclareFunction$/.test(statement.type) && !/^(Import|Export)/.test(statement.type);
}

/** @type {(declaration: Declaration) => string[]} */
function namesOf(declaration) {
  if (declaration.type === 'VariableDeclaration') {
    return declaration.declarations.map(({ id }) => (id.type === 'Identifier' ? id.name : ''));
  }
  return 'id' in declaration && declaration.id && 'name' in declaration.id ? [declaration.id.name] : [];
}

/** The members that need a docstring: not constructors, which the class documents, nor `Symbol` methods. @type {(declaration: Declaration) => { name: string, start: number }[]} */
function membersOf(declaration) {
  if (declaration.type === 'TSInterfaceDeclaration') {
    return declaration.body.body.flatMap((member) =>
      'key' in member && member.key.type === 'Identifier' ? [{ name: member.key.name, start: member.start }] : [],
    );
  }
  if (declaration.type !== 'ClassDeclaration') return [];
  /** @type {Set<string>} */
  const seen = new Set();
  return declaration.body.body.flatMap((member) => {
    if (!('key' in member) || member.key.type !== 'Identifier' || member.computed) return [];
    if (('accessibility' in member && member.accessibility === 'private') || ('override' in member && member.override))
      return [];
    if ('declare' in member && member.declare) return [];
    const { name } = member.key;
    if (name === 'constructor' || seen.has(name)) return []; // a setter and an overload share the first one's docstring
    seen.add(name);
    return [{ name, start: member.start }];
  });
}

/** @type {(node: { superClass: import('oxc-parser').Expression | null }) => string | null} */
function parentOf({ superClass }) {
  return superClass?.type === 'Identifier' ? superClass.name : null;
}

/** The types that a declaration refers to. @type {(declaration: Declaration) => string[]} */
function referencesOf(declaration) {
  /** @type {string[]} */
  const names = [];
  /** @type {Set<string>} */
  const own = new Set();
  new Visitor({
    TSTypeParameter: ({ name }) => void own.add(name.name),
    TSMappedType: ({ key }) => void own.add(key.name),
    TSTypeReference: ({ typeName }) => void (typeName.type === 'Identifier' && names.push(typeName.name)),
    TSInterfaceHeritage: ({ expression }) => void (expression.type === 'Identifier' && names.push(expression.name)),
    ClassDeclaration: (node) => void names.push(parentOf(node) ?? 'Object'),
  }).visit({
    type: 'Program',
    body: [/** @type {any} */ (declaration)],
    sourceType: 'module',
    hashbang: null,
    start: 0,
    end: 0,
  });
  return names.filter((name) => !own.has(name));
}

/** @type {(node: import('oxc-parser').ModuleExportName) => string} */
function nameOf(node) {
  return node.type === 'Literal' ? node.value : node.name;
}
