/* Keyboard shortcuts: single keys and two-key sequences, never while somebody writes, never with
 * Ctrl, Alt or Meta, which are the browser's. They can be switched off (WCAG 2.1.4). */

const STORED = 'ates.shortcuts';
const SEQUENCE_MS = 1200;

/* The Latin letter of the key that was pressed, also where the layout is Cyrillic; '/' is on
 * another key there. */
export function letterOf({ key, code = '' }) {
    if (key === '?' || key === '/') return key;
    if (/^[a-z]$/i.test(key)) return key.toLowerCase();
    if (/^[а-яё]$/i.test(key) && code.startsWith('Key')) return code.slice(3).toLowerCase();
    if (key === '.' && code === 'Slash') return '/';
    return '';
}

export function isWriting(element) {
    if (!element) return false;
    return Boolean(element.isContentEditable) || /^(input|textarea|select)$/i.test(element.tagName ?? '');
}

/* Turns keys into names of shortcuts: 'n', or 'g t' where 'g' began a sequence just before. */
export function createSequence({ shortcuts, now = Date.now }) {
    let first = '';
    let at = 0;
    return (letter) => {
        const isSecond = first !== '' && now() - at < SEQUENCE_MS;
        const name = isSecond ? `${first} ${letter}` : letter;
        first = '';
        if (shortcuts.includes(name)) return name;
        if (shortcuts.some((shortcut) => shortcut.startsWith(`${letter} `))) {
            first = letter;
            at = now();
        }
        return '';
    };
}

export const SHORTCUTS = ['?', '/', 'n', 'j', 'k', 'c', 'g t', 'g a', 'g n', 'g p'];

export function shortcutsAreOn() {
    try {
        return localStorage.getItem(STORED) !== 'off';
    } catch {
        return true;
    }
}

export function switchShortcuts(on) {
    try {
        localStorage.setItem(STORED, on ? 'on' : 'off');
    } catch {
        /* Storage may be shut off; then they stay on. */
    }
}

/* handle(name) is called for each shortcut and says whether it did anything. */
export function startKeys(handle) {
    const next = createSequence({ shortcuts: SHORTCUTS });
    addEventListener('keydown', (event) => {
        if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
        if (isWriting(event.target) || document.querySelector('dialog[open]') || !shortcutsAreOn()) return;
        const letter = letterOf(event);
        if (letter === '' || (event.repeat && letter !== 'j' && letter !== 'k')) return;
        const name = next(letter);
        if (name !== '' && handle(name)) event.preventDefault();
    });
}

/* Moves to the next or the one before of the rows on the page, and into its link. */
export function moveInList(step) {
    const rows = [...document.querySelectorAll('main [data-row]')];
    if (rows.length === 0) return false;
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const to = at === -1 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
    const inside = rows[to].querySelector('a[href], button');
    if (inside === null) rows[to].tabIndex = -1;
    (inside ?? rows[to]).focus();
    rows[to].scrollIntoView({ block: 'nearest' });
    return true;
}

/* Clicks what the selector finds in the row that has the focus, or the page's own such button. */
export function clickInRow(selector) {
    const row = document.activeElement?.closest('[data-row]');
    const button = row?.querySelector(selector) ?? document.querySelector(`main [data-page-action]${selector}`);
    if (!button) return false;
    button.click();
    return true;
}
