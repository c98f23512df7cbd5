import { fileURLToPath } from 'node:url';

// The packages are above the app, in one folder for all trials.
const root = fileURLToPath(new URL('..', import.meta.url));

export default { outputFileTracingRoot: root, turbopack: { root } };
