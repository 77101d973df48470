/* The address in the browser, as state. */
import { createStore } from './store.js';
import { matchRoute } from './routes.js';

const read = () => ({
    ...matchRoute(globalThis.location.pathname),
    path: globalThis.location.pathname,
    query: new URLSearchParams(globalThis.location.search),
});

/* {name, id, path, query} */
export const route = createStore(read());

export function go(to, { replace = false } = {}) {
    history[replace ? 'replaceState' : 'pushState'](null, '', to);
    const before = route.get().path;
    route.set(read());
    if (route.get().path !== before) scrollTo(0, 0);
}

/* The same page with other parameters; what is empty is left out. */
export function setQuery(changes, { replace = true } = {}) {
    const query = new URLSearchParams(route.get().query);
    for (const [name, value] of Object.entries(changes)) {
        if (value === undefined || value === '') query.delete(name);
        else query.set(name, value);
    }
    const text = query.toString();
    go(route.get().path + (text === '' ? '' : `?${text}`), { replace });
}

export function startRouter() {
    addEventListener('popstate', () => route.set(read()));
    document.addEventListener('click', (event) => {
        if (
            event.defaultPrevented ||
            event.button !== 0 ||
            event.metaKey ||
            event.ctrlKey ||
            event.shiftKey ||
            event.altKey
        )
            return;
        const link = event.target.closest?.('a[href]');
        if (!link || link.target || link.hasAttribute('download') || !link.getAttribute('href').startsWith('/')) return;
        event.preventDefault();
        go(link.getAttribute('href'));
    });
}
