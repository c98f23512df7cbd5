import { useEffect, useState } from './vendor/preact.js';

/** The origin may be shared with other pages. */
const KEY = 'amsdal-mail-theme';

/** The chosen theme, or else that of the system. @returns {['light' | 'dark', () => void]} */
export function useTheme() {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const [theme, setTheme] = useState(localStorage.getItem(KEY) ?? (system.matches ? 'dark' : 'light'));
  const shown = theme === 'dark' ? 'dark' : 'light';
  useEffect(() => {
    document.documentElement.dataset['theme'] = shown;
    const follow = () => localStorage.getItem(KEY) ?? setTheme(system.matches ? 'dark' : 'light');
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, [shown]);
  const toggle = () => {
    const next = shown === 'dark' ? 'light' : 'dark';
    localStorage.setItem(KEY, next);
    setTheme(next);
  };
  return [shown, toggle];
}
