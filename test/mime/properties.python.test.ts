import { testNaughtyStrings, testRandomFields } from './field-tests.ts';

testRandomFields(100);
testNaughtyStrings();
