/* The frame of every page: header, navigation, what the connection is like, footer. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact.js';
import { connection } from '../events.js';
import { LANGUAGES, language, switchLanguage, t } from '../i18n.js';
import { sections } from '../routes.js';
import { api, session, settings, signOut } from '../session.js';
import { formatTime } from '../format.js';
import { THEMES, choice, chooseTheme } from '../theme-switch.js';
import { roleText } from './bits.js';
import { useStore } from './hooks.js';
import { Icon } from './icons.js';
import { Logo, Popug } from './popug.js';
import { toastProblem } from './toast.js';

const ENDING_MS = 5 * 60000; /* before its end a session is said to end */

function Navigation({ role, current }) {
    return html`<nav class="main-nav" aria-label=${t('nav.main')}>
        <ul>
            ${sections(role).map(
                (name) => html`<li key=${name}>
                    <a href="/${name}" aria-current=${current === name ? 'page' : undefined}
                        data-testid="nav-${name}"><${Icon} name=${name} /><span>${t(`nav.${name}`)}</span></a>
                </li>`,
            )}
        </ul>
    </nav>`;
}

function Switches() {
    const used = useStore(language);
    const chosen = useStore(choice);
    const [other, name] = Object.entries(LANGUAGES).find(([key]) => key !== used);
    const next = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
    const icons = { auto: 'auto', light: 'sun', dark: 'moon' };
    return html`<button type="button" class="plain" lang=${other} title=${name} onClick=${() => switchLanguage(other)}
        data-testid="language">
            ${other.toUpperCase()}<span class="unseen"> ${name}</span>
        </button>
        <button type="button" class="plain icon-button" aria-label=${t('theme.switch', { now: t(`theme.${chosen}`) })}
            title=${t(`theme.${chosen}`)}
            onClick=${() => chooseTheme(next)} data-testid="theme"><${Icon} name=${icons[chosen]} /></button>`;
}

/* A disclosure rather than an ARIA menu: what is inside are ordinary buttons. */
function UserMenu({ user, onPassword, onShortcuts }) {
    const [isOpen, setOpen] = useState(false);
    const frame = useRef();
    useLayoutEffect(() => { /* not after the next frame: whoever sees the menu may close it */
        if (!isOpen) return undefined;
        const close = (event) => {
            if (event.key === 'Escape') frame.current.querySelector('button').focus();
            if (event.key === 'Escape' || (event.type === 'pointerdown' && !frame.current.contains(event.target)))
                setOpen(false);
        };
        addEventListener('keydown', close);
        addEventListener('pointerdown', close);
        return () => {
            removeEventListener('keydown', close);
            removeEventListener('pointerdown', close);
        };
    }, [isOpen]);
    const pick = (does) => () => {
        setOpen(false);
        does();
    };
    return html`<div class="user-menu" ref=${frame}>
        <button type="button" class="plain" aria-expanded=${isOpen ? 'true' : 'false'} aria-controls="user-menu"
            onClick=${() => setOpen(!isOpen)} data-testid="user-menu">
            <${Popug} id=${user.id} /><span class="user-login">${user.login}</span>
        </button>
        <div id="user-menu" class="menu" hidden=${!isOpen}>
            <p class="menu-head"><strong data-testid="user-login">${user.login}</strong><br />${user.email}<br /><span
                class="hint">${roleText(user.role)}</span></p>
            <button type="button" class="plain" onClick=${pick(onPassword)}
                data-testid="change-password">${t('menu.password')}</button>
            <button type="button" class="plain" onClick=${pick(onShortcuts)}
                data-testid="shortcuts">${t('menu.shortcuts')}</button>
            <button type="button" class="plain" onClick=${pick(() => signOut().catch(toastProblem))}
                data-testid="sign-out">${t('menu.sign_out')}</button>
        </div>
    </div>`;
}

/* What is shown may be old, or something is tried again: a bar says so and leaves the page as it is. */
function Status() {
    const heard = useStore(connection);
    const trying = useStore(api.trying);
    const { state, expiresAt } = useStore(session);
    const [online, setOnline] = useState(navigator.onLine);
    const [, redraw] = useState(0);
    useEffect(() => {
        const change = () => setOnline(navigator.onLine);
        addEventListener('online', change);
        addEventListener('offline', change);
        const timer = setInterval(() => redraw((count) => count + 1), 30000);
        return () => {
            removeEventListener('online', change);
            removeEventListener('offline', change);
            clearInterval(timer);
        };
    }, []);
    let text = '';
    if (!online) text = t('status.offline');
    else if (trying !== null) text = t('status.trying', trying);
    else if (heard === 'broken') text = t('status.broken');
    else if (state === 'user' && expiresAt - Date.now() < ENDING_MS)
        text = t('status.ending', { time: formatTime(expiresAt) });
    return html`<div class="status" role="status" data-testid="status"
        data-connection=${heard}>${text !== '' && html`<p>${text}</p>`}</div>`;
}

export function Shell({ current, onPassword, onShortcuts, children }) {
    const { user } = useStore(session);
    const heard = useStore(connection);
    const { version } = useStore(settings);
    return html`<a class="skip" href="#main">${t('nav.skip')}</a>
        <header class="top">
            <div class="top-inner">
                <a class="brand" href="/" aria-label=${t('nav.home')}><${Logo} /><span>aTES</span></a>
                ${user && html`<${Navigation} role=${user.role} current=${current} />`}
                <div class="top-end">
                    ${
                        user &&
                        html`<span class="live ${heard}"
                        title=${t(`live.${heard}`)}><span class="unseen">${t(`live.${heard}`)}</span></span>`
                    }
                    <${Switches} />
                    ${user && html`<${UserMenu} user=${user} onPassword=${onPassword} onShortcuts=${onShortcuts} />`}
                </div>
            </div>
            <${Status} />
        </header>
        <main id="main" tabindex="-1">${children}</main>
        <footer class="bottom"><p>${t('footer.text')}${version && ` · ${version}`}</p></footer>`;
}
