const BRANDED = Symbol.for('amsdal-mail.branded');

/** Whether a prototype is that of a branded class itself, of this copy of the package or another one. */
export function isBranded(prototype: object): boolean {
  return Object.hasOwn(prototype, BRANDED);
}

/**
 * Makes `instanceof` hold for what another copy of this package has made: one that `require` loads beside the one that `import`
 * loads, or another version that a dependency brings.
 *
 * A class of the user's own that extends a branded one has no brand: for it `instanceof` is what it always is.
 *
 * @param name the same in every copy
 */
export function brand<T extends object>(type: abstract new (...args: never[]) => T, name: string): void {
  const key = Symbol.for(`amsdal-mail.${name}`);
  Object.defineProperty(type.prototype, key, { value: true });
  Object.defineProperty(type.prototype, BRANDED, { value: true });
  Object.defineProperty(type, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== type) return Function.prototype[Symbol.hasInstance].call(this as () => void, value); // what stands right of instanceof
      return typeof value === 'object' && value !== null && key in value;
    },
  });
}
