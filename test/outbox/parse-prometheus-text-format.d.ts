declare module 'parse-prometheus-text-format' {
  /** The families of a text; what their metrics hold depends on the type. */
  function parse(text: string): never;

  // biome-ignore lint/style/noDefaultExport: the package has no other
  export { parse as default };
}
