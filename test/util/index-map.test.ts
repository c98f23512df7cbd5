import { expect, it } from 'vitest';
import { IndexMap } from '../../src/util/index-map.ts';
import { fc } from '../properties.ts';

it('behaves as a Map does', () => {
  const step = fc.tuple(
    fc.constantFrom('set', 'delete'),
    fc.oneof(
      fc.nat(300),
      fc.nat(5).map((key) => key * 64),
    ),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const map = new IndexMap<number>();
      const model = new Map<number, number>();
      for (const [value, [name, key]] of steps.entries()) {
        if (name === 'set') {
          map.set(key, value);
          model.set(key, value);
        } else {
          map.delete(key);
          model.delete(key);
        }
        expect([map.size, map.get(key)]).toEqual([model.size, model.get(key)]);
      }
      for (let key = 0; key <= 320; key++) expect(map.get(key)).toBe(model.get(key));
      expect([...map.values()].sort()).toEqual([...model.values()].sort());
    }),
  );
});
