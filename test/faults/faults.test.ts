import { testCuts } from './cut-tests.ts';

testCuts(31, 7); // no common divisor with what they go through, so that every kind has its turn
