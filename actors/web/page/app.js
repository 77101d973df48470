/* The application: starts, decides which page is shown, and moves the focus with it. */
import { html, render, useEffect, useRef, useState } from './vendor/htm-preact.js';
import * as events from './events.js';
import { language, startLanguage, t } from './i18n.js';
import { clickInRow, moveInList, startKeys } from './keys.js';
import { go, route, startRouter } from './router.js';
import { isOpen, safeReturn, sections } from './routes.js';
import { loadSession, session, watchSession } from './session.js';
import { createStore } from './store.js';
import { Announcer } from './ui/announce.js';
import { names } from './ui/bits.js';
import { forgetShown, useStore } from './ui/hooks.js';
import { Shell } from './ui/shell.js';
import { Failure, Skeleton } from './ui/states.js';
import { Toasts } from './ui/toast.js';
import { SignIn } from './pages/sign-in.js';
import { Tasks } from './pages/tasks.js';
import { Task } from './pages/task.js';
import { NotForYou, Unknown } from './pages/unknown.js';

/* Which of the dialogs that belong to no page is open. */
const dialog = createStore('');

/* What many never open is loaded when it is. */
const later = {
    accounting: () => import('./pages/accounting.js'),
    analytics: () => import('./pages/analytics.js'),
    people: () => import('./pages/people.js'),
    register: () => import('./pages/register.js'),
    password: () => import('./pages/password.js'),
    shortcuts: () => import('./pages/shortcuts.js'),
};
const loaded = {};

const toHeading = () =>
    (document.querySelector('main h1') ?? document.getElementById('main')).focus({ preventScroll: true });

/* Shows what is loaded later, with the props given; meanwhile what stands in for it. */
function Later({ name, meanwhile, onShown, ...props }) {
    const [failed, setFailed] = useState(false);
    const [, redraw] = useState(0);
    useEffect(() => {
        let isHere = true;
        const show = (module) => {
            loaded[name] = module.default;
            if (isHere) redraw((count) => count + 1);
        };
        if (loaded[name] === undefined) later[name]().then(show, () => isHere && setFailed(true));
        return () => (isHere = false);
    }, [name]);
    useEffect(() => {
        if (loaded[name] !== undefined) onShown?.();
    }, [loaded[name]]);
    /* A new version of the service has other addresses: then loading the page anew helps. */
    if (failed) return html`<${Failure} problem=${{ reason: 'NETWORK' }} retry=${() => location.reload()} />`;
    return loaded[name] === undefined ? meanwhile : html`<${loaded[name]} ...${props} />`;
}

/* A page that is loaded later: until then its heading is there for the focus, and lost with it. */
function LaterPage({ name }) {
    const meanwhile = html`<h1 class="unseen" tabindex="-1">${t(`title.${name}`)}</h1><${Skeleton} />`;
    return html`<${Later} name=${name} meanwhile=${meanwhile}
        onShown=${() => document.activeElement === document.body && toHeading()} />`;
}

function Page({ where, user }) {
    if (where.name === 'tasks') return html`<${Tasks} user=${user} />`;
    if (where.name === 'task') return html`<${Task} key=${where.id} id=${where.id} user=${user} />`;
    if (where.name === 'unknown') return html`<${Unknown} />`;
    if (!sections(user.role).includes(where.name)) return html`<${NotForYou} />`;
    return html`<${LaterPage} key=${where.name} name=${where.name} />`;
}

/* Where the address does not fit the session, another takes its place. */
function redirect(where, state) {
    if (state === 'nobody' && !isOpen(where.name)) {
        const to = safeReturn(where.path + location.search);
        return to === '/' ? '/sign-in' : `/sign-in?to=${encodeURIComponent(to)}`;
    }
    if (state === 'user' && isOpen(where.name)) return safeReturn(where.query.get('to'));
    if (state === 'user' && where.name === 'home') return '/tasks';
    return undefined;
}

/* A new page begins at its heading, for eyes and for screen readers; but for one that begins with a
 * field to fill in. */
function useArrival(where, isReady) {
    const first = useRef(true);
    useEffect(() => {
        document.title = `${t(`title.${where.name}`, { id: where.id })} · aTES`;
    });
    useEffect(() => {
        if (!isReady) return;
        if (!first.current && document.activeElement?.tagName !== 'INPUT') toHeading();
        first.current = false;
    }, [where.path, isReady]);
}

function App() {
    const where = useStore(route);
    const { state, user, problem } = useStore(session);
    const opened = useStore(dialog);
    useStore(language);
    const instead = redirect(where, state);
    useEffect(() => {
        if (instead !== undefined) go(instead, { replace: true });
    }, [instead]);
    useArrival(where, instead === undefined && state !== 'unknown');
    let page = html`<h1 class="unseen" tabindex="-1">aTES</h1><${Skeleton} />`;
    if (state === 'unreachable')
        page = html`<h1 tabindex="-1">aTES</h1><${Failure} problem=${problem} retry=${loadSession} />`;
    else if (instead === undefined && state === 'nobody')
        page = where.name === 'register' ? html`<${LaterPage} name="register" />` : html`<${SignIn} />`;
    else if (instead === undefined && state === 'user') page = html`<${Page} where=${where} user=${user} />`;
    return html`<${Shell} current=${where.name === 'task' ? 'tasks' : where.name}
        onPassword=${() => dialog.set('password')} onShortcuts=${() => dialog.set('shortcuts')}>
            ${page}
        <//>
        ${opened === 'password' && user && html`<${Later} name="password" onClose=${() => dialog.set('')} />`}
        ${opened === 'shortcuts' && html`<${Later} name="shortcuts" user=${user} onClose=${() => dialog.set('')} />`}
        <${Toasts} /><${Announcer} />`;
}

const places = { 'g t': 'tasks', 'g a': 'accounting', 'g n': 'analytics', 'g p': 'people' };

function onShortcut(name) {
    const { user } = session.get();
    if (name === '?') dialog.set('shortcuts');
    else if (user === undefined) return false;
    else if (name in places) return sections(user.role).includes(places[name]) && (go(`/${places[name]}`), true);
    else if (name === 'j' || name === 'k') return moveInList(name === 'j' ? 1 : -1);
    else if (name === 'c') return clickInRow('[data-complete]');
    else if (name === 'n') go('/tasks?new=1');
    else if (name === '/') {
        const search = document.querySelector('main input[type=search]');
        search?.focus();
        return search !== null;
    }
    return true;
}

async function start() {
    events.connect();
    watchSession();
    /* Nothing that one user saw is shown to the next. */
    let seen;
    session.subscribe(({ user }) => {
        const next = user && `${user.id} ${user.role}`;
        if (next !== seen) {
            forgetShown();
            names.forget();
        }
        seen = next;
        if (user) names.learn(user.id, user.login, user.role);
    });
    await Promise.all([startLanguage(), loadSession()]);
    startRouter();
    startKeys(onShortcut);
    events.watchVisibility();
    const root = document.getElementById('app');
    root.textContent = '';
    render(html`<${App} />`, root);
}

start();
