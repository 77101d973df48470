/* Everybody's tasks, newest first, for managers and administrators. */
import { html, useEffect, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { route, setQuery } from '../router.js';
import { api } from '../session.js';
import { Moment, Person, TaskLink } from '../ui/bits.js';
import { Field, Select } from '../ui/field.js';
import { useFresh } from '../ui/fresh.js';
import { useList, useRested, useStore } from '../ui/hooks.js';
import { PersonPicker } from '../ui/person-picker.js';
import { Empty, More, Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';

const STATUSES = ['all', 'open', 'finished'];
const isTasks = ({ producer, event_name: name }) => producer === 'tasks' && !name.startsWith('reassignment_');

export function StatusWord({ task }) {
    return task.is_finished
        ? html`<span class="chip">${t('task.is_finished')}</span>`
        : html`<span class="chip open">${t('task.is_open')}</span>`;
}

export function AllTasks() {
    const { query } = useStore(route);
    const status = STATUSES.includes(query.get('status')) ? query.get('status') : 'all';
    const assignee = Number(query.get('assignee')) || undefined;
    const asked = query.get('q') ?? '';
    const [words, setWords] = useState(asked);
    const rested = useRested(words.trim());
    useEffect(() => {
        if (rested !== asked) setQuery({ q: rested });
    }, [rested]);
    const key = `tasks-all ${status} ${assignee} ${asked}`;
    const view = useList(key, {
        page: (place, signal) =>
            api.get('/tasks', { status, assigned_to: assignee, query: asked, newest_first: true, ...place }, signal),
        concerns: isTasks,
    });
    const fresh = useFresh(key, view, view.data?.items);
    const columns = [
        { key: 'name', label: t('task.name'), kind: 'main', cell: (task) => html`<${TaskLink} task=${task} />` },
        { key: 'assignee', label: t('task.assignee'), cell: (task) => html`<${Person} id=${task.assigned_to} />` },
        { key: 'status', label: t('task.status'), cell: (task) => html`<${StatusWord} task=${task} />` },
        { key: 'created', label: t('task.created_at'), cell: (task) => html`<${Moment} ms=${task.created_at} />` },
        {
            key: 'finished',
            label: t('task.finished_at'),
            cell: (task) => (task.finished_at === undefined ? '' : html`<${Moment} ms=${task.finished_at} />`),
        },
    ];
    const isFiltered = asked !== '' || assignee !== undefined || status !== 'all';
    return html`<search class="filters">
            <${Field} label=${t('filter.search')} type="search" maxlength="200" value=${words} onValue=${setWords}
                data-testid="search" />
            <${Select} label=${t('task.status')} value=${status}
                onValue=${(value) => setQuery({ status: value === 'all' ? '' : value })}
                options=${STATUSES.map((name) => [name, t(`status.${name}`)])} data-testid="task-filter-status" />
            <${PersonPicker} label=${t('task.assignee')} id=${assignee}
                onId=${(id) => setQuery({ assignee: id === undefined ? '' : String(id) })} />
        </search>
        <${Shown} view=${view} rows=${8}>${({ items }) =>
            items.length === 0
                ? html`<${Empty} title=${isFiltered ? t('list.nothing_found') : t('tasks.none_at_all')} />`
                : html`<${Table} caption=${t('tasks.all')} columns=${columns} rows=${items} fresh=${fresh}
                    testid="all-tasks" /><${More} view=${view} />`}<//>`;
}
