/* Who is signed in here, and what the service says of itself. All tabs of a browser share one
 * session. */
import { Problem, createApi } from './api.js';
import { setZone } from './format.js';
import { createStore } from './store.js';
import * as events from './events.js';

/* {state: 'unknown' | 'nobody' | 'user' | 'unreachable', user?, expiresAt?, word?, problem?}; word
 * is the key of a text that tells why nobody is signed in any more. */
export const session = createStore({ state: 'unknown' });

/* {version, time_zone, business_date, open_roles} */
export const settings = createStore({ version: '', time_zone: 'UTC', business_date: '1970-01-01', open_roles: [] });

export const today = () => settings.get().business_date;

const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel('ates-session') : undefined;

export const api = createApi({
    fetch: (...request) => fetch(...request),
    onUnauthenticated: (problem) => end(`ended.${problem.reason === 'USER_DISABLED' ? 'disabled' : 'over'}`),
});

/* While the password is changed, the old session's end is our own doing. */
let expectsEnd = false;

function become(user, expiresAt) {
    session.set({ state: 'user', user, expiresAt });
    events.start(user.id);
}

/* The session is over: the word says why, on the sign-in page. */
export function end(word) {
    if (expectsEnd || session.get().state !== 'user') return;
    events.stop();
    session.set({ state: 'nobody', word });
}

export async function loadSettings() {
    const told = await api.get('/settings');
    setZone(told.time_zone);
    settings.set(told);
}

export async function loadSession() {
    try {
        const [told] = await Promise.all([api.get('/session'), loadSettings()]);
        if (told.user !== undefined) become(told.user, told.session_expires_at);
        else session.set({ state: 'nobody' });
    } catch (problem) {
        session.set({ state: 'unreachable', problem });
    }
}

export async function signIn(login, password, key) {
    const told = await api.post('/session', { login, password }, { key });
    become(told.user, told.session_expires_at);
    channel?.postMessage({ type: 'signed-in', userId: told.user.id });
}

export async function signOut() {
    try {
        await api.remove('/session');
    } catch (problem) {
        if (!(problem instanceof Problem) || problem.status !== 401) throw problem;
    }
    events.stop();
    session.set({ state: 'nobody', word: 'ended.signed_out' });
    channel?.postMessage({ type: 'signed-out' });
}

/* Changing the password ends every session of the user's, this one too: it is opened anew. */
export async function changePassword(oldPassword, newPassword, key) {
    const { user } = session.get();
    expectsEnd = true;
    try {
        await api.post('/session/password', { old_password: oldPassword, new_password: newPassword }, { key });
        events.stop();
        await signIn(user.login, newPassword);
    } finally {
        expectsEnd = false;
    }
}

/* The session is asked for again, as something says that it is another one now, or none. */
async function check(word) {
    if (expectsEnd) return;
    const told = await api.get('/session').catch(() => undefined);
    if (told === undefined) return;
    const { user } = session.get();
    if (told.user === undefined) end(word);
    else if (user === undefined || user.id !== told.user.id || user.role !== told.user.role)
        become(told.user, told.session_expires_at);
}

export function watchSession() {
    events.onEnd(() => check('ended.over'));
    events.onEvent(({ producer, event_name: name, data }) => {
        if (producer === 'auth' && name === 'user_changed' && data.user_id === session.get().user?.id)
            check('ended.over');
    });
    channel?.addEventListener('message', ({ data }) => {
        if (data.type === 'signed-out') end('ended.elsewhere');
        else if (data.userId !== session.get().user?.id || session.get().state !== 'user') check('ended.over');
    });
    /* The business date moves on while the page is open. */
    events.onFresh(() => loadSettings().catch(() => {}));
    setInterval(() => {
        const { state, expiresAt } = session.get();
        if (state !== 'user' || document.hidden) return;
        if (expiresAt !== undefined && Date.now() > expiresAt) check('ended.over');
        loadSettings().catch(() => {});
    }, 60000);
}
