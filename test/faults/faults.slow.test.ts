import { testCuts } from './cut-tests.ts';

testCuts(process.env['FAULTS'] === 'all' ? 1 : 5, 1); // `npm run faults` asks for all
