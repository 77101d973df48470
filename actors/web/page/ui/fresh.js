/* Which rows are new since the page was last read: they are marked for a moment, and counted aloud. */
import { useRef } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { announce } from './announce.js';

/* items as the view of this key shows them. Returns a set of ids. */
export function useFresh(key, view, items, idOf = (item) => item.id) {
    const held = useRef({});
    if (items === undefined) return new Set();
    if (held.current.key !== key) {
        held.current = { key, items, known: new Set(items.map(idOf)), fresh: new Set() };
    } else if (held.current.items !== items) {
        const { known } = held.current;
        const added = items.map(idOf).filter((id) => !known.has(id));
        added.forEach((id) => known.add(id));
        const fresh = view.cause === 'load' ? new Set(added) : new Set();
        if (fresh.size > 0) announce(t('live.new_rows', { count: fresh.size }));
        held.current = { key, items, known, fresh: new Set([...fresh, ...held.current.fresh]) };
    }
    return held.current.fresh;
}
