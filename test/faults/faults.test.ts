import { testCuts } from './cut-tests.ts';

testCuts(53, 11); // no common divisor with what they go through, so that every kind has its turn
