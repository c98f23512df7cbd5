import { plural, shortTime } from '../../mailbox/page/format.js';
import { html, useState } from '../../mailbox/page/vendor/preact.js';
import { short, span } from './words.js';

/** @typedef {{ readonly lane: string, readonly points: readonly (readonly [at: number, value: number])[] }} Series */

const WIDTH = 1000;
const HEIGHT = 200;

/** The least round number that is not smaller: 1, 2, 5, 10, 20, ... @param {number} value */
function roundUp(value) {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((step) => step * size).find((step) => step >= value) ?? value;
}

/** The style that gives a lane its colour. @param {number} place */
export const laneHue = (place) => `--hue: ${(255 + place * 137) % 360}`;

/**
 * Lines over time, one a lane; the same as a table below.
 *
 * @param {{ title: string, series: readonly Series[], now: number, everyMs: number }} props
 */
export function Plot({ title, series, now, everyMs }) {
  const [pointed, point] = useState(/** @type {number | null} */ (null));
  const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const start = times[0] ?? now;
  const range = Math.max(now - start, 60_000);
  const top = roundUp(Math.max(1, ...series.flatMap(({ points }) => points.map(([, value]) => value))));
  const xOf = (/** @type {number} */ at) => ((at - now + range) / range) * WIDTH;
  const yOf = (/** @type {number} */ value) => HEIGHT - (value / top) * HEIGHT;
  const shown = pointed === null ? undefined : nearest(times, pointed);
  /** @param {readonly (readonly [number, number])[]} points */
  const pathOf = (points) =>
    points
      .map(([at, value], place) => {
        // A break where nothing was remembered for a while.
        const isNext = place > 0 && at - (points[place - 1]?.[0] ?? 0) < 4 * everyMs;
        return `${isNext ? 'L' : 'M'}${xOf(at).toFixed(1)} ${yOf(value).toFixed(1)}`;
      })
      .join('');
  /** @param {PointerEvent} event */
  const onMove = (event) => {
    if (!(event.currentTarget instanceof HTMLElement)) return;
    const { left, width } = event.currentTarget.getBoundingClientRect();
    point(now - range + ((event.clientX - left) / width) * range);
  };
  const valueAt = (/** @type {Series} */ { points }, /** @type {number} */ time) =>
    points.find(([at]) => at === time)?.[1] ?? 0;
  const ends = series.map((each) => `${each.lane} ${short(each.points.at(-1)?.[1] ?? 0)}`);
  return html`
    <div class="plot" onPointerMove=${onMove} onPointerLeave=${() => point(null)}>
      <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${`${title} in the last ${span(range)}; now ${ends.join(', ') || 'nothing'}`}>
        ${[0, 0.5, 1].map((share) => html`<line class="grid" x1="0" x2=${WIDTH} y1=${HEIGHT * share} y2=${HEIGHT * share} />`)}
        ${series.map(
          ({ lane, points }, place) =>
            html`<path key=${lane} class="curve" style=${laneHue(place)} d=${pathOf(points)} />`,
        )}
        ${shown !== undefined && html`<line class="cursor" x1=${xOf(shown)} x2=${xOf(shown)} y1="0" y2=${HEIGHT} />`}
      </svg>
      <span class="top small" aria-hidden="true">${short(top)}</span>
      <span class="middle small" aria-hidden="true">${top > 1 ? short(top / 2) : ''}</span>
      ${
        shown !== undefined &&
        html`<div class=${`readout card small ${xOf(shown) > WIDTH / 2 ? 'is-left' : ''}`} style=${`left: ${xOf(shown) / 10}%`}>
          <time>${new Date(shown).toLocaleTimeString()}</time>
          ${series.map((each, place) => html`<div class="flex"><span class="swatch" style=${laneHue(place)}></span><span class="grow cut">${each.lane}</span><strong>${short(valueAt(each, shown))}</strong></div>`)}
        </div>`
      }
    </div>
    <div class="axis flex small" aria-hidden="true"><span class="grow">${span(range)} ago</span><span>now</span></div>
    <ul class="legend flex small">
      ${series.map(({ lane }, place) => html`<li class="flex"><span class="swatch" style=${laneHue(place)}></span>${lane}</li>`)}
    </ul>
    <details>
      <summary class="small">As a table</summary>
      <div class="table" tabindex="0" role="region" aria-label=${`${title} as a table`}>
        <table>
          <thead><tr><th scope="col">Time</th>${series.map(({ lane }) => html`<th scope="col">${lane}</th>`)}</tr></thead>
          <tbody>
            ${times
              .slice(-30)
              .reverse()
              .map(
                (time) =>
                  html`<tr key=${time}><th scope="row"><time>${new Date(time).toLocaleTimeString()}</time></th>${series.map((each) => html`<td>${short(valueAt(each, time))}</td>`)}</tr>`,
              )}
          </tbody>
        </table>
      </div>
    </details>
    <p class="small">${times.length < 2 ? 'The curve begins now: ' : ''}Counts are remembered by the process that serves this page, every ${span(everyMs)} for an hour, since ${shortTime(new Date(start).toISOString())} (${plural(times.length, 'point')}); a restart forgets them.</p>
  `;
}

/** @param {readonly number[]} times @param {number} wanted */
function nearest(times, wanted) {
  return times.reduce(
    (/** @type {number | undefined} */ best, time) =>
      best === undefined || Math.abs(time - wanted) < Math.abs(best - wanted) ? time : best,
    undefined,
  );
}
