/* Requests to /api/v1.
 *
 * Invariant: a change is sent under one Idempotency-Key however often it is repeated, so a repeat
 * can never have its effect twice. Queries and changes are repeated alike where no answer came
 * or the service was not there; `trying` says so meanwhile, for people to see. */
import { createStore } from './store.js';

const BASE = '/api/v1';
const TIMEOUT_MS = 65000; /* more than the gateway's own longest deadline */
const DELAYS_MS = [400, 1000, 2500, 6000]; /* before each repeat, unless the answer advises one */
const DELAY_MAX_MS = 10000;

/* What a request ended with other than its result. `reason` is the service's stable word, or
 * NETWORK where no answer came. */
export class Problem extends Error {
    constructor({ status = 0, reason, detail = '', field = '', retry_after_ms: retryAfterMs = 0 }) {
        super(detail || reason);
        Object.assign(this, { name: 'Problem', status, reason, detail, field, retryAfterMs });
    }

    /* Nobody knows whether it was done: the same key may tell. */
    get isUnknown() {
        return this.reason === 'NETWORK' || this.reason === 'NO_REPLY';
    }
}

/* 128 random bits in hex. (crypto.randomUUID is missing where the page came over plain HTTP.) */
export function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/* "/users?role=boss" of "/users" and {role: 'boss', query: ''}: what is empty is left out. */
export function target(path, query = {}) {
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
    return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
}

async function problemOf(response) {
    let told = {};
    try {
        told = await response.json();
    } catch {
        /* A proxy's page, or a connection cut in the middle: the status says enough. */
    }
    const seconds = Number(response.headers.get('Retry-After'));
    return new Problem({
        retry_after_ms: seconds > 0 ? seconds * 1000 : 0,
        ...told,
        reason: told.reason || `HTTP_${response.status}`,
        status: response.status,
    });
}

function mayRepeat(problem) {
    return problem.reason === 'NETWORK' || problem.status === 503 || problem.status === 502 || problem.status === 504;
}

const wait = (ms, signal) =>
    new Promise((resolve, reject) => {
        const end = () => {
            clearTimeout(timer);
            reject(signal.reason);
        };
        const timer = setTimeout(() => {
            signal?.removeEventListener('abort', end);
            resolve();
        }, ms);
        signal?.addEventListener('abort', end, { once: true });
    });

/* An API over fetch. onUnauthenticated hears the problem of a request that the session no longer
 * carries. */
export function createApi({ fetch, sleep = wait, onUnauthenticated = () => {} }) {
    /* null, or {attempt, of} of the repeats under way. */
    const trying = createStore(null);
    let repeating = 0;

    async function once(method, path, body, key, signal) {
        const headers = { Accept: 'application/json' };
        if (method !== 'GET') {
            headers['ATES-Session'] = 'cookie';
            headers['Idempotency-Key'] = key;
            if (body !== undefined) headers['Content-Type'] = 'application/json';
        }
        const limit = new AbortController();
        const cancel = () => limit.abort(signal.reason);
        const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted) cancel();
        let response;
        try {
            response = await fetch(BASE + path, {
                method,
                headers,
                body: body === undefined ? undefined : JSON.stringify(body),
                credentials: 'same-origin',
                signal: limit.signal,
            });
            if (!response.ok) throw await problemOf(response);
            return response.status === 204 ? {} : await response.json();
        } catch (error) {
            if (error instanceof Problem) throw error;
            if (signal?.aborted) throw error;
            throw new Problem({ reason: 'NETWORK', detail: String(error?.message ?? error) });
        } finally {
            clearTimeout(timer);
            signal?.removeEventListener('abort', cancel);
        }
    }

    /* Asks until there is an answer, or the repeats are used up; throws a Problem, or the signal's
     * abort. A change without a key gets one of its own. */
    async function call(method, path, { query, body, key, signal, repeats = DELAYS_MS.length } = {}) {
        const where = target(path, query);
        const used = method === 'GET' ? undefined : (key ?? newKey());
        let counted = false;
        try {
            for (let attempt = 0; ; attempt++) {
                try {
                    return await once(method, where, body, used, signal);
                } catch (problem) {
                    if (!(problem instanceof Problem)) throw problem;
                    if (problem.status === 401 && problem.reason !== 'BAD_CREDENTIALS') onUnauthenticated(problem);
                    if (!mayRepeat(problem) || attempt >= repeats) throw problem;
                    if (!counted) repeating++;
                    counted = true;
                    trying.set({ attempt: attempt + 2, of: repeats + 1 });
                    await sleep(Math.min(problem.retryAfterMs || DELAYS_MS[attempt], DELAY_MAX_MS), signal);
                }
            }
        } finally {
            if (counted && --repeating === 0) trying.set(null);
        }
    }

    return {
        trying,
        get: (path, query, signal) => call('GET', path, { query, signal }),
        post: (path, body, options) => call('POST', path, { body, ...options }),
        remove: (path, options) => call('DELETE', path, options),
        call,
    };
}
