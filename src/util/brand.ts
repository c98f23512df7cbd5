const BRANDED = Symbol.for('amsdal-mail.branded');

/** Whether a prototype is that of a branded class itself, of any copy of the package. */
export function isBranded(prototype: object): boolean {
  return Object.hasOwn(prototype, BRANDED);
}

/**
 * Makes `instanceof` hold for what another copy of this package has made: one that `require` loads beside the one that `import`
 * loads, or another version that a dependency brings. It marks the prototype; the test that it returns becomes a static field:
 *
 *     static readonly [Symbol.hasInstance] = /* @__PURE__ *\/ brand(Example, 'Example');
 *
 * A static block would keep the class in every bundle; of a field that is marked as pure, bundlers know that it can go along with
 * its class (which they must find by its name: some do not take `this`).
 *
 * A user's subclass of a branded class has no brand: for it, `instanceof` works as usual.
 *
 * @param name the same in every copy
 */
export function brand<T extends object>(
  type: abstract new (...args: never[]) => T,
  name: string,
): (value: unknown) => boolean {
  const key = Symbol.for(`amsdal-mail.${name}`);
  Object.defineProperty(type.prototype, key, { value: true });
  Object.defineProperty(type.prototype, BRANDED, { value: true });
  return function (this: unknown, value: unknown): boolean {
    if (this !== type) return Function.prototype[Symbol.hasInstance].call(this as () => void, value); // what stands right of instanceof
    return typeof value === 'object' && value !== null && key in value;
  };
}
