/* State for components: stores, views of the service, actions on it. */
import { useEffect, useRef, useState } from '../vendor/htm-preact.js';
import { Problem, newKey } from '../api.js';
import { onEvent, onFresh } from '../events.js';
import { readPages } from '../paging.js';
import { View } from '../view.js';

export const PAGE = 50; /* rows that a list begins with, and that each "more" adds */

export function useStore(store) {
    const [, redraw] = useState(0);
    const drawn = useRef();
    drawn.current = store.get();
    useEffect(() => {
        const look = () => store.get() !== drawn.current && redraw((count) => count + 1);
        look(); /* it may have changed between the drawing and now */
        return store.subscribe(look);
    }, [store]);
    return drawn.current;
}

/* What views showed last, by key: going back to a page shows it at once, and then reads it anew. */
const shown = new Map();
const SHOWN_MAX = 60;
export const forgetShown = () => shown.clear();

function remember(key, data) {
    shown.delete(key);
    shown.set(key, data);
    if (shown.size > SHOWN_MAX) shown.delete(shown.keys().next().value);
}

/* A view (see view.js) that lives as long as the component shows this key. concerns(event) says
 * whether an event makes it worth reading anew. */
export function useView(key, { load, more, concerns = () => false, settleMs }) {
    const [, redraw] = useState(0);
    const held = useRef({});
    const hear = useRef(concerns);
    hear.current = concerns;
    if (held.current.key !== key) {
        held.current.view?.close();
        const view = new View({
            load,
            more,
            settleMs,
            data: shown.get(key),
            changed: () => {
                if (view.data !== undefined) remember(key, view.data);
                redraw((count) => count + 1);
            },
        });
        held.current = { key, view };
    }
    useEffect(() => {
        const { view } = held.current;
        view.reload();
        const ends = [
            onEvent((event) => hear.current(event) && view.poke()),
            onFresh((since) => view.startedAt < since && view.reload()),
        ];
        return () => ends.forEach((end) => end());
    }, [key]);
    useEffect(() => () => held.current.view.close(), []);
    return held.current.view;
}

/* A list, page by page: page({after, limit}, signal) gives {items, next?}, in whatever order it asks
 * for. atOnce: how many rows it begins with. */
export function useList(key, { page, atOnce = PAGE, ...options }) {
    return useView(key, {
        load: (data, signal) => readPages(page, { items: [] }, Math.max(atOnce, data?.items.length ?? 0), signal),
        more: (data, signal) => readPages(page, data, data.items.length + atOnce, signal),
        ...options,
    });
}

/* Something that a person does: work(key, ...args). While it is under way it is not begun again; the
 * same thing tried again after an unknown end goes under the same key. run resolves to {result} or
 * {problem}. */
export function useAction(work) {
    const [state, setState] = useState({ busy: false, problem: undefined });
    const kept = useRef({});
    const isHere = useRef(true);
    useEffect(() => () => (isHere.current = false), []);
    const set = (next) => isHere.current && setState(next);

    async function run(...args) {
        const what = JSON.stringify(args);
        if (kept.current.busy) return {};
        const key = kept.current.what === what && kept.current.key ? kept.current.key : newKey();
        kept.current = { busy: true, what, key };
        set({ busy: true, problem: undefined });
        try {
            const result = await work(key, ...args);
            kept.current = {};
            set({ busy: false, problem: undefined });
            return { result };
        } catch (error) {
            const problem = error instanceof Problem ? error : new Problem({ reason: 'OTHER', detail: String(error) });
            kept.current = problem.isUnknown ? { what, key } : {};
            set({ busy: false, problem });
            return { problem };
        }
    }
    return { ...state, run, reset: () => set({ busy: false, problem: undefined }) };
}

/* A value that follows another once that has rested. */
export function useRested(value, ms = 250) {
    const [rested, setRested] = useState(value);
    useEffect(() => {
        const timer = setTimeout(() => setRested(value), ms);
        return () => clearTimeout(timer);
    }, [value, ms]);
    return rested;
}
