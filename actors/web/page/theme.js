/* Runs before the page is first painted, so that it never flashes in another scheme or language.
 * A classic script: modules run later. What is chosen is kept by theme-switch.js and i18n.js. */
(() => {
    const root = document.documentElement;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    let chosen = 'auto';
    try {
        chosen = localStorage.getItem('ates.theme') ?? 'auto';
        root.lang = localStorage.getItem('ates.language') ?? root.lang;
    } catch {
        /* Storage is shut off: the system decides. */
    }
    root.dataset.theme = chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light';
})();
