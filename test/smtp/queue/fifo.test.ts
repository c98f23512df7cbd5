import { expect, it } from 'vitest';
import { Fifo } from '../../../src/smtp/queue/fifo.ts';
import { fc } from '../../properties.ts';

it('behaves as an array does at both ends', () => {
  const step = fc.constantFrom('push', 'unshift', 'shift');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      for (const [value, name] of steps.entries()) {
        if (name === 'shift') expect(fifo.shift()).toBe(model.shift());
        else {
          fifo[name](value);
          model[name](value);
        }
        expect([fifo.size, fifo.first]).toEqual([model.length, model[0]]);
      }
    }),
  );
});
