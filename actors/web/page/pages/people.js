/* Everybody who has an account: managers may look, administrators may change. */
import { html, useEffect, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { route, setQuery } from '../router.js';
import { ROLES, may } from '../routes.js';
import { api, session } from '../session.js';
import { Moment, Person, roleText } from '../ui/bits.js';
import { Field, Select } from '../ui/field.js';
import { useFresh } from '../ui/fresh.js';
import { useList, useRested, useStore } from '../ui/hooks.js';
import { Icon } from '../ui/icons.js';
import { Empty, More, Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { NewPerson } from './person-new.js';
import { PersonDialog } from './person.js';

const isPeople = ({ producer }) => producer === 'auth';

function Filters({ role, asked }) {
    const [words, setWords] = useState(asked);
    const rested = useRested(words.trim());
    useEffect(() => {
        if (rested !== asked) setQuery({ q: rested });
    }, [rested]);
    return html`<search class="filters">
        <${Field} label=${t('filter.search')} type="search" maxlength="200" value=${words} onValue=${setWords}
            data-testid="search" />
        <${Select} label=${t('field.role')} value=${role} onValue=${(value) => setQuery({ role: value })}
            options=${[['', t('filter.any')], ...ROLES.map((name) => [name, roleText(name)])]} data-testid="role" />
    </search>`;
}

export default function People() {
    const { query } = useStore(route);
    const { user } = useStore(session);
    const [open, setOpen] = useState();
    const [isNew, setNew] = useState(false);
    const changes = may.changePeople(user.role);
    const role = ROLES.includes(query.get('role')) ? query.get('role') : '';
    const asked = query.get('q') ?? '';
    const key = `people ${role} ${asked}`;
    const view = useList(key, {
        page: ({ after, limit }, signal) => api.get('/users', { role, query: asked, after, limit }, signal),
        concerns: isPeople,
    });
    const fresh = useFresh(key, view, view.data?.items);
    const columns = [
        {
            key: 'login',
            label: t('field.login'),
            kind: 'main',
            cell: ({ id, login }) => html`<${Person} id=${id} login=${login} />`,
        },
        { key: 'email', label: t('field.email'), cell: ({ email }) => html`<span class="email">${email}</span>` },
        { key: 'role', label: t('field.role'), cell: (person) => roleText(person.role) },
        {
            key: 'state',
            label: t('person.state'),
            cell: ({ disabled }) =>
                disabled
                    ? html`<span class="chip dead">${t('person.disabled')}</span>`
                    : html`<span class="hint">${t('person.enabled')}</span>`,
        },
        { key: 'since', label: t('person.since'), cell: (person) => html`<${Moment} ms=${person.created_at} />` },
        changes && {
            key: 'actions',
            label: t('list.actions'),
            kind: 'actions',
            cell: (person) =>
                html`<button type="button" class="secondary small"
                    aria-label=${t('person.manage_named', { login: person.login })} onClick=${() => setOpen(person.id)}
                    data-testid="manage">${t('person.manage')}</button>`,
        },
    ].filter(Boolean);
    const opened = view.data?.items.find(({ id }) => id === open);
    return html`<header class="page-head">
            <h1 tabindex="-1">${t('people.title')}</h1>
            ${
                changes &&
                html`<div class="actions"><button type="button" onClick=${() => setNew(true)}
                data-testid="new-person"><${Icon} name="plus" /> ${t('people.new')}</button></div>`
            }
        </header>
        <${Filters} role=${role} asked=${asked} />
        <${Shown} view=${view} rows=${8}>${({ items }) =>
            items.length === 0
                ? html`<${Empty} title=${t('list.nothing_found')} />`
                : html`<${Table} caption=${t('people.title')} columns=${columns} rows=${items} fresh=${fresh}
                    rowClass=${({ disabled }) => (disabled ? 'faded' : '')} testid="people" />
                    <${More} view=${view} />`}<//>
        ${
            opened !== undefined &&
            html`<${PersonDialog} person=${opened} onChanged=${() => view.reload()}
            onClose=${() => setOpen(undefined)} />`
        }
        ${isNew && html`<${NewPerson} onMade=${() => view.reload()} onClose=${() => setNew(false)} />`}`;
}
