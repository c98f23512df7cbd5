import { outcome, trials } from './trials.js';

async function main() {
  const results = {};
  for (const [name, trial] of Object.entries(trials(JSON.parse(process.env.WHERE))))
    results[name] = await outcome(trial);
  console.log(JSON.stringify(results));
  process.exit();
}

void main();
