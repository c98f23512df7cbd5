import fc from 'fast-check';

// The gate judges a change, not luck: it sees the same cases every time. Everywhere else each run looks at new ones.
if (process.env['CI']) fc.configureGlobal({ seed: 20_251_122 });

export { fc };
