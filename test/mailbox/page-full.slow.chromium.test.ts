import { expect, onTestFinished, test } from 'vitest';
import { startMailbox } from '../../src/mailbox/mailbox.ts';
import { catchSource } from './caught.ts';
import { mailbox, openPage, startPages, subjects } from './pages.ts';

startPages();

test('ten thousand mails open in under 300 ms, and all can be reached', async () => {
  for (let index = 0; index < 10_000; index += 1) {
    catchSource(
      mailbox,
      `From: Sender ${index} <s${index}@example.com>\nSubject: Mail ${index}\n\nBody of mail ${index}`,
    );
  }
  const empty = await startMailbox({ port: 0, smtpPort: null });
  onTestFinished(() => empty.close());
  const page = await openPage();
  await page.addInitScript(noteFirstRow);
  const timeOf = async (url: string): Promise<number> => {
    await page.goto(url);
    await page.locator('[data-shown-at]').waitFor();
    return Number(await page.locator('html').getAttribute('data-shown-at'));
  };
  const full: number[] = [];
  const none: number[] = [];
  for (let count = 0; count < 9; count += 1) {
    none.push(await timeOf(empty.url));
    full.push(await timeOf(mailbox.url));
  }
  const [time, timeOfNone] = [median(full), median(none)];
  console.log(`10,000 mails are listed after ${Math.round(time)} ms, none after ${Math.round(timeOfNone)} ms`);
  // On a busy machine nothing is fast; but a list may not be much slower than none.
  expect(time).toBeLessThan(Math.max(300, 2.5 * timeOfNone));
  expect(await page.locator('.row').count()).toBe(100);
  expect(await page.locator('.folders [aria-selected=true]').innerText()).toContain('10,000');
  await page.locator('.end-of-list').scrollIntoViewIfNeeded();
  await expect.poll(() => page.locator('.row').count()).toBe(200);
  await page.locator('#search').fill('"mail 1234"');
  await expect.poll(() => subjects(page)).toEqual(['Mail 1234']);
});

/** Runs in the page before its scripts: notes when the list is there, or that there is nothing, in milliseconds since the navigation. */
function noteFirstRow(): void {
  new MutationObserver((_, observer) => {
    if (document.querySelector('.row, .nothing') === null) return;
    observer.disconnect();
    document.documentElement.dataset['shownAt'] = String(performance.now());
  }).observe(document, { childList: true, subtree: true });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
