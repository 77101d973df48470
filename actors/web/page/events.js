/* Live events for this page's views, through the worker that all tabs share, or by a stream of the
 * page's own where there are no shared workers. */
import { createStore } from './store.js';
import { Stream } from './stream.js';

/* off (nobody is signed in), connecting, live, or broken. */
export const connection = createStore('off');

const eventListeners = new Set();
const freshListeners = new Set();
const endListeners = new Set();
const listenTo = (listeners) => (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
};

/* Each event that the user may see: {producer, seq, event_name, event_version, event_time, data}. */
export const onEvent = listenTo(eventListeners);
/* What was read before `since` (ms) may be stale: events may have been missed. */
export const onFresh = listenTo(freshListeners);
/* The session is over. */
export const onEnd = listenTo(endListeners);

let send = () => {};
let current = 0; /* the user followed */

const emit = (listeners, value) => {
    for (const listener of [...listeners]) listener(value);
};

function live(since) {
    connection.set('live');
    emit(freshListeners, since);
}

const hear = {
    state({ state, since = 0, userId }) {
        /* A tab that joins a stream already open for its user hears no hello. */
        if (state === 'live' && since > 0 && userId === current && current !== 0) live(since);
        else if (state !== 'live') connection.set(current === 0 ? 'off' : state === 'off' ? 'connecting' : state);
    },
    hello({ user, since }) {
        if (user.user_id === current) live(since);
        else if (current !== 0) emit(endListeners, 'other');
    },
    reset: () => emit(freshListeners, Date.now()),
    event({ event }) {
        if (current !== 0) emit(eventListeners, event);
    },
    ended() {
        if (current !== 0) emit(endListeners, 'over');
    },
};

async function isSignedIn() {
    const response = await fetch('/api/v1/session');
    if (!response.ok) throw new Error(String(response.status));
    return (await response.json()).user !== undefined;
}

function ownStream() {
    const stream = new Stream({ tell: (message) => hear[message.type](message), isSignedIn, EventSource });
    const does = { start: ({ userId }) => stream.start(userId), stop: () => stream.stop(), wake: () => stream.wake() };
    send = (message) => does[message.type]?.(message);
    addEventListener('online', () => stream.wake());
    if (current !== 0) stream.start(current);
}

/* Before anything else, so that a stream that other tabs hold open is known at the first page. */
export function connect() {
    if (typeof SharedWorker !== 'function') {
        ownStream();
        return;
    }
    const url = new URL('./events-worker.js', import.meta.url);
    const worker = new SharedWorker(url, { type: 'module', name: 'ates-events' });
    worker.port.onmessage = ({ data }) => hear[data.type](data);
    worker.onerror = ownStream; /* a browser without modules in workers */
    send = (message) => worker.port.postMessage(message);
    addEventListener('pagehide', () => send({ type: 'leave' }));
}

export function start(userId) {
    current = userId;
    connection.set('connecting');
    send({ type: 'start', userId });
}

export function stop() {
    current = 0;
    connection.set('off');
    send({ type: 'stop' });
}

/* A tab that was hidden for long may sit on a machine that slept. */
let hiddenAt = 0;
export function watchVisibility(afterMs = 60000) {
    document.addEventListener('visibilitychange', () => {
        if (document.hidden) hiddenAt = Date.now();
        else if (current !== 0 && hiddenAt !== 0 && Date.now() - hiddenAt > afterMs) send({ type: 'wake' });
    });
    /* A page that the browser kept whole and brings back has left the worker meanwhile. */
    addEventListener('pageshow', ({ persisted }) => {
        if (persisted) globalThis.location.reload();
    });
}
