/**
 * The places that do not name a backend as they should; none when all do.
 *
 * @param read the text of a file of the repository
 * @param isDescribed whether it has a page of its own, as those that send have
 */
export function backendPlaces(
  read: (path: string) => string,
  name: string,
  className: string,
  isDescribed: boolean,
): readonly string[] {
  const manifest: Manifest = JSON.parse(read('package.json'));
  const page = `docs/${name}.md`;
  const places: readonly (readonly [string, boolean])[] = [
    [`package.json exports ./${name}`, manifest.exports[`./${name}`] !== undefined],
    [`package.json has typesVersions of ${name}`, manifest.typesVersions['*'][name] !== undefined],
    [`README.md has a row of \`${name}\``, read('README.md').includes(`\n| \`${name}\` | `)],
    ...(isDescribed
      ? ([
          [`src/index.ts exports ${className}`, new RegExp(`\\b${className}\\b`).test(read('src/index.ts'))],
          [`README.md links ${page}`, read('README.md').includes(`](${page})`)],
          [`llms.txt links ${page}`, read('llms.txt').includes(`](${page})`)],
          [`${page} begins with a heading`, read(page).startsWith('# ')],
        ] as const)
      : []),
  ];
  return places.flatMap(([place, holds]) => (holds ? [] : [place]));
}

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly typesVersions: { readonly '*': Readonly<Record<string, readonly string[]>> };
}
