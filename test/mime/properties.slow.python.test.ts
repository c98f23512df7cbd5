import { testRandomFields } from './field-tests.ts';

testRandomFields(2_000);
