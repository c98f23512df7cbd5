import { testNaughtyStrings, testRandomFields } from './field-tests.ts';

testRandomFields(300);
testNaughtyStrings();
