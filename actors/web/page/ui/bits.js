/* Small things that many pages show: money, times, people, tabs, roles. */
import { html, useEffect, useRef } from '../vendor/htm-preact.js';
import { createNames } from '../names.js';
import { createStore } from '../store.js';
import { formatDate, formatDay, formatLong, formatMoment, formatMoney } from '../format.js';
import { t } from '../i18n.js';
import { api, session } from '../session.js';
import { useStore } from './hooks.js';
import { Popug } from './popug.js';

export function Money({ cents, sign = false }) {
    const kind = cents < 0 ? 'minus' : cents > 0 && sign ? 'plus' : '';
    return html`<data class="money ${kind}" value=${cents / 100}>${formatMoney(cents, { sign })}</data>`;
}

export function Moment({ ms }) {
    return html`<time datetime=${new Date(ms).toISOString()} title=${formatLong(ms)}>${formatMoment(ms)}</time>`;
}

export function Day({ date, weekday = false }) {
    return html`<time datetime=${date}>${weekday ? formatDay(date) : formatDate(date)}</time>`;
}

const heard = createStore(0);
export const names = createNames({
    ask: async (ids) => (await api.get('/users/logins', { user_ids: ids.join(',') })).items,
    changed: () => heard.set(heard.get() + 1),
});

/* A user by id. Id 0 is the service itself. */
export function Person({ id, login, plain = false }) {
    useStore(heard);
    if (id === 0) return html`<span class="person">${t('person.service')}</span>`;
    const name = login ?? names.look(id)?.login;
    const isMe = id === session.get().user?.id;
    return html`<span class="person" title=${isMe ? t('person.me') : undefined}>
        ${!plain && html`<${Popug} id=${id} />`}<span class=${isMe ? 'me' : ''}>${name ?? `#${id}`}</span>
    </span>`;
}

/* The login of a user, for texts. */
export function useName(id) {
    useStore(heard);
    return id ? (names.look(id)?.login ?? `#${id}`) : '';
}

/* The id of a task's issue, where it has one. */
export const Issue = ({ task }) =>
    task.jira_id === undefined ? '' : html`<span class="chip" data-testid="issue">${task.jira_id}</span> `;

export function TaskLink({ task }) {
    return html`<span class="hint">#${task.id}</span> <${Issue} task=${task} /><a href="/tasks/${task.id}">${task.name}</a>`;
}

export const roleText = (role) => t(`role.${role}`);

/* items: [[key, text, href, count?]]. Links, not ARIA tabs: each has an address. */
export function Tabs({ label, items, current }) {
    const frame = useRef();
    /* On a phone the current one may be out of sight. */
    useEffect(() => {
        const link = frame.current.querySelector('[aria-current]');
        frame.current.scrollLeft = link.offsetLeft - (frame.current.clientWidth - link.offsetWidth) / 2;
    }, [current]);
    return html`<nav class="tabs" aria-label=${label} ref=${frame}>
        <ul>
            ${items.map(
                ([key, text, href]) =>
                    html`<li key=${key}><a href=${href} aria-current=${key === current ? 'page' : undefined}
                        data-testid="tab-${key}">${text}</a></li>`,
            )}
        </ul>
    </nav>`;
}

/* A figure with its name. */
export function Figure({ label, children, hint, testid }) {
    return html`<div class="figure" data-testid=${testid}>
        <dt>${label}</dt>
        <dd class="figure-value">${children}</dd>
        ${hint && html`<dd class="hint">${hint}</dd>`}
    </div>`;
}
