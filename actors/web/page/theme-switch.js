/* Dark or light: as the system says, or as the reader chose. */
import { createStore } from './store.js';

const STORED = 'ates.theme';
export const THEMES = ['auto', 'light', 'dark'];
const dark = matchMedia('(prefers-color-scheme: dark)');

function stored() {
    try {
        const kept = localStorage.getItem(STORED);
        return THEMES.includes(kept) ? kept : 'auto';
    } catch {
        return 'auto';
    }
}

/* The choice: auto, light or dark. */
export const choice = createStore(stored());
/* What is shown: light or dark. */
export const theme = createStore('light');

function show() {
    const chosen = choice.get();
    const shown = chosen === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen;
    document.documentElement.dataset.theme = shown;
    theme.set(shown);
}

export function chooseTheme(next) {
    try {
        localStorage.setItem(STORED, next);
    } catch {
        /* Storage is shut off: the choice lasts as long as the page. */
    }
    choice.set(next);
}

show();
choice.subscribe(show);
dark.addEventListener('change', show);
