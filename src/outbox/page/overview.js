import { plural } from '../../mailbox/page/format.js';
import { Icon } from '../../mailbox/page/icons.js';
import { html, useState } from '../../mailbox/page/vendor/preact.js';
import { laneHue, Plot } from './plot.js';
import { STATES, short, span } from './words.js';

/** @typedef {import('./calls.js').Overview} Data */
/** @typedef {import('./words.js').MailState} MailState */

/** What is counted in a tile and drawn. @type {readonly { readonly name: string, readonly states: readonly MailState[], readonly isRate?: boolean, readonly isBad?: boolean }[]} */
const MEASURES = [
  { name: 'Queued', states: ['queued'] },
  { name: 'Being sent', states: ['claimed', 'sending'] },
  { name: 'In doubt', states: ['in-doubt'], isBad: true },
  { name: 'Failed', states: ['failed'], isBad: true },
  { name: 'Sent a minute', states: ['sent'], isRate: true },
];

/** How long the rate is that is shown as the present one, in milliseconds. */
const RATE_MS = 60_000;

/** @param {Data} data @param {readonly MailState[]} states @param {string} [lane] */
function countOf({ counts }, states, lane) {
  const fits = counts.filter((each) => states.includes(each.state) && (lane === undefined || each.lane === lane));
  return fits.reduce((sum, { count }) => sum + count, 0);
}

/** @param {Data} data @param {Data['samples'][number]} sample @param {readonly MailState[]} states @param {string} lane */
function countIn(data, [, lanes], states, lane) {
  return states.reduce((sum, state) => sum + (lanes[lane]?.[data.states.indexOf(state)] ?? 0), 0);
}

/** What is drawn of a lane; deleting old mails makes a count smaller, and is no rate. @param {Data} data @param {typeof MEASURES[number]} measure @param {string} lane */
function pointsOf(data, { states, isRate }, lane) {
  const points = data.samples.map((sample) => /** @type {const} */ ([sample[0], countIn(data, sample, states, lane)]));
  if (!isRate) return [...points, /** @type {const} */ ([data.now, countOf(data, states, lane)])];
  return points.slice(1).map(([at, count], place) => {
    const [before, least] = points[place] ?? [at - 1, count];
    return /** @type {const} */ ([at, (Math.max(0, count - least) / (at - before)) * 60_000]);
  });
}

/** What rates and the account let through yet, by whom. @param {Data} data */
function leftOf({ left, accountLeft }) {
  const all = [
    ...Object.entries(left).map(([lane, each]) => /** @type {const} */ ([`Lane ${lane}`, each])),
    /** @type {const} */ (['Account', accountLeft]),
  ];
  return all.flatMap(([name, each]) => {
    const windows = Object.entries(each).map(([window, count]) => `${short(count)} in this ${window}`);
    return windows.length === 0 ? [] : [/** @type {const} */ ([name, windows.join(', ')])];
  });
}

/** How many were sent in the last minute, or since the process looks; null before that is known. @param {Data} data */
function rateOf(data) {
  const since = data.samples.find(([at]) => at >= data.now - RATE_MS - data.everyMs);
  if (since === undefined || data.now - since[0] < data.everyMs / 2) return null;
  const before = data.lanes.reduce((sum, lane) => sum + countIn(data, since, ['sent'], lane), 0);
  return (Math.max(0, countOf(data, ['sent']) - before) / Math.max(RATE_MS, data.now - since[0])) * RATE_MS;
}

/**
 * The outbox as a whole.
 *
 * @param {{ data: Data, show: (filter: { state?: string, lane?: string }) => void }} props
 */
export function Overview({ data, show }) {
  const [chosen, choose] = useState(0);
  const measure = MEASURES[chosen] ?? MEASURES[0];
  const rate = rateOf(data);
  const due = data.counts.filter(({ state }) => state === 'queued').map(({ oldestMs }) => oldestMs ?? 0);
  const oldest = Math.max(...due);
  const total = countOf(data, data.states);
  /** @param {typeof MEASURES[number]} each */
  const noteOf = ({ name, isRate }) => {
    if (isRate) return `${short(countOf(data, ['sent']))} sent in all`;
    if (name === 'Queued')
      return due.length === 0 ? 'none waits' : oldest < 0 ? 'none is due yet' : `due for ${span(oldest)} at most`;
    return name === 'In doubt' ? 'somebody decides' : name === 'Failed' ? 'not tried any more' : 'by a worker';
  };
  return html`
    <div class="overview panel grow" tabindex="0" role="region" aria-label="Counts">
      <${Alarms} data=${data} show=${show} />
      ${
        total === 0 &&
        html`<div class="welcome">
          <span class="welcome-icon center"><${Icon} name="send" /></span>
          <h2>No mail in the outbox</h2>
          <p>What is enqueued appears here, and what became of it.</p>
        </div>`
      }
      <div class="tiles" role="group" aria-label="What the plot shows">
        ${MEASURES.map((each, place) => {
          const value = each.isRate ? rate : countOf(data, each.states);
          return html`<button type="button" key=${each.name} class=${`tile card ${each.isBad && value ? 'is-bad' : ''}`} aria-pressed=${place === chosen} onClick=${() => choose(place)}>
            <span class="small">${each.name}</span>
            <strong>${value === null ? '–' : short(value)}</strong>
            <span class="small cut">${noteOf(each)}</span>
          </button>`;
        })}
      </div>
      ${
        measure &&
        html`<section class="card" aria-label="Over time">
          <h2>${measure.name} <span class="muted">by lane, over time</span></h2>
          <${Plot} title=${measure.name} now=${data.now} everyMs=${data.everyMs}
            series=${data.lanes.map((lane) => ({ lane, points: pointsOf(data, measure, lane) }))} />
        </section>`
      }
      <section class="card" aria-label="Speed">
        <h2>Speed</h2>
        <dl class="speed">
          <div><dt class="small">From written down to sent</dt><dd>${data.delays ? html`<strong>${span(data.delays.median)}</strong> for half of them, ${span(data.delays.p95)} for 95 %` : 'nothing was sent lately'}</dd><dd class="small">${data.delays ? `of the latest ${plural(data.delays.of, 'sent mail')}; their time (sendAt) and further tries included` : ''}</dd></div>
          <div><dt class="small">Workers of this process</dt><dd>${data.worked ? html`<strong>${short(data.worked.sent)}</strong> sent in ${plural(data.worked.tries, 'try', 'tries')} of ${span(data.worked.meanMs)} on average` : 'none has tried anything'}</dd><dd class="small">${data.worked ? '' : 'those of other processes are not asked; their mails are counted above'}</dd></div>
        </dl>
      </section>
      <section class="card" aria-label="Lanes and states">
        <h2>Lanes</h2>
        ${leftOf(data).map(([name, left]) => html`<p class="small" key=${name}>${name}: ${left} left</p>`)}
        <div class="table" tabindex="0" role="region" aria-label="Counts by lane and state">
          <table>
            <thead><tr><th scope="col">Lane</th>${data.states.map((state) => html`<th scope="col" title=${STATES[state][1]}>${STATES[state][0]}</th>`)}</tr></thead>
            <tbody>
              ${data.lanes.map(
                (lane, place) => html`<tr key=${lane}>
                  <th scope="row"><span class="flex"><span class="swatch" style=${laneHue(place)}></span><span class="lane-name">${lane}</span>${data.paused.some((pause) => pause.lane === lane) && html`<span class="tag is-warning">paused</span>`}</span></th>
                  ${data.states.map((state) => {
                    const count = countOf(data, [state], lane);
                    return html`<td>${count === 0 ? html`<span class="muted">0</span>` : html`<button type="button" class="link" aria-label=${`${count} ${STATES[state][0]} of lane ${lane}: show them`} onClick=${() => show({ state, lane })}>${short(count)}</button>`}</td>`;
                  })}
                </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </section>
    </div>
  `;
}

/** What somebody should look at. @param {{ data: Data, show: (filter: { state?: string }) => void }} props */
function Alarms({ data, show }) {
  const doubtful = countOf(data, ['in-doubt']);
  return html`
    ${data.paused.map(
      ({ lane, ms, reason }) => html`<div class="alarm is-error flex" key=${lane}>
        <${Icon} name="alert" />
        <div class="grow">
          <strong>Lane ${lane} is paused${ms > 0 ? `, for another ${span(ms)}` : ''}</strong>
          <p>${reason || 'A fault of the connection.'}</p>
          <p class="small">No try counts meanwhile. ${ms > 0 ? 'Then a single mail shows' : 'The next mail of it shows'} whether it works again.</p>
        </div>
      </div>`,
    )}
    ${
      doubtful > 0 &&
      html`<div class="alarm flex">
        <${Icon} name="help" />
        <div class="grow">
          <strong>${plural(doubtful, 'mail')} in doubt</strong>
          <p>Nobody knows whether they were sent: look for their Message-ID at the provider, then decide. They are not sent again by themselves.</p>
        </div>
        <button type="button" class="button" onClick=${() => show({ state: 'in-doubt' })}>Show</button>
      </div>`
    }
  `;
}
