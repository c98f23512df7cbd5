import { html, useEffect, useRef } from './vendor/preact.js';

/** Loads more when it comes into view. @param {{ onReach: () => void, count: number, isComplete: boolean }} props */
export function EndOfList({ onReach, count, isComplete }) {
  const element = useRef(/** @type {Element | null} */ (null));
  useEffect(() => {
    if (isComplete || element.current === null) return undefined;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && onReach(), { rootMargin: '600px' });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [count, isComplete]);
  return html`<div class="end-of-list" ref=${element}></div>`;
}
