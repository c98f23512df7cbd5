import { expect, test } from 'vitest';
import { Queue } from '../../src/util/queue.ts';
import { fc } from '../properties.ts';

test('whoever comes first leaves first, however many come and go in between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: undefined }), { maxLength: 200 }), (steps) => {
      const queue = new Queue<number>();
      const model: number[] = [];
      for (const step of steps) {
        if (step === undefined) expect(queue.shift()).toBe(model.shift());
        else {
          queue.push(step);
          model.push(step);
        }
        expect(queue.size).toBe(model.length);
      }
    }),
  );
});
