export { openDashboard } from './dashboard.ts';
export { metricsText } from './metrics.ts';
