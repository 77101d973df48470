/* One task with its history. */
import { html } from '../vendor/htm-preact.js';
import { t, tx } from '../i18n.js';
import { api } from '../session.js';
import { Moment, Person } from '../ui/bits.js';
import { useFresh } from '../ui/fresh.js';
import { PAGE, useAction, useList, useView } from '../ui/hooks.js';
import { Icon } from '../ui/icons.js';
import { More, Shown } from '../ui/states.js';
import { toastDone, toastProblem } from '../ui/toast.js';
import { StatusWord } from './tasks-all.js';

const person = (id) => html`<${Person} id=${id} />`;

/* A log entry in words. */
function Entry({ entry, isFresh }) {
    const { type, actor_id: actor, from_user_id: from, to_user_id: to, description } = entry;
    const values = { actor: person(actor), from: from && person(from), to: to && person(to) };
    let key = `log.${type}`;
    if (type === 'assign' && actor === 0) key = 'log.assign_service';
    else if (type === 'assign' && from !== undefined && from === to) key = 'log.assign_same';
    else if (type === 'create' && to === undefined) key = 'log.create_only';
    return html`<li class="entry ${type} ${isFresh ? 'fresh' : ''}">
        <span>${type === 'other' && description ? description : tx(key, values)}</span>
        <span class="hint"><${Moment} ms=${entry.timestamp} /></span>
    </li>`;
}

function History({ id, concerns }) {
    const key = `task-log ${id}`;
    const view = useList(key, {
        page: ({ after, limit }, signal) => api.get(`/tasks/${id}/log`, { after, limit }, signal),
        atOnce: 2 * PAGE,
        concerns,
    });
    const fresh = useFresh(key, view, view.data?.items);
    return html`<section aria-labelledby="history">
        <h2 id="history">${t('task.history')}</h2>
        <${Shown} view=${view} rows=${3}>${({ items }) =>
            html`<ol class="history" data-testid="history">${items.map(
                (entry) => html`<${Entry} key=${entry.id}
                entry=${entry} isFresh=${fresh.has(entry.id)} />`,
            )}</ol>
                <${More} view=${view} />`}<//>
    </section>`;
}

function Complete({ task, view }) {
    const { busy, run } = useAction((key) => api.post(`/tasks/${task.id}/complete`, undefined, { key }));
    const complete = async () => {
        const { problem } = await run();
        if (problem !== undefined) toastProblem(problem);
        else toastDone(t('tasks.completed', { name: task.name }));
        view.reload();
    };
    return html`<button type="button" aria-busy=${busy ? 'true' : 'false'}
        onClick=${complete} data-page-action data-complete data-testid="complete">
        <${Icon} name="check" /> ${t('task.complete')}
    </button>`;
}

export function Task({ id, user }) {
    const concerns = ({ producer, data }) => producer === 'tasks' && data.task_id === id;
    const view = useView(`task ${id}`, {
        load: async (_, signal) => (await api.get(`/tasks/${id}`, {}, signal)).task,
        concerns,
    });
    const task = view.data;
    return html`<p class="back"><a href="/tasks"><${Icon} name="left" /> ${t('tasks.title')}</a></p>
        <header class="page-head">
            <h1 tabindex="-1">${task === undefined ? t('title.task', { id }) : task.name}</h1>
            ${
                task !== undefined &&
                !task.is_finished &&
                task.assigned_to === user.id &&
                html`<div
                class="actions"><${Complete} task=${task} view=${view} /></div>`
            }
        </header>
        <${Shown} view=${view} rows=${3}>${() => html`
            <dl class="facts">
                <div><dt>${t('task.number')}</dt><dd>#${task.id}</dd></div>
                ${
                    task.jira_id !== undefined &&
                    html`<div><dt>${t('task.jira_id')}</dt><dd data-testid="jira-id">${task.jira_id}</dd></div>`
                }
                <div><dt>${t('task.status')}</dt><dd data-testid="task-status"><${StatusWord} task=${task} /></dd></div>
                <div><dt>${t('task.assignee')}</dt><dd data-testid="assignee">${person(task.assigned_to)}</dd></div>
                <div><dt>${t('task.creator')}</dt><dd>${person(task.created_by)}</dd></div>
                <div><dt>${t('task.created_at')}</dt><dd><${Moment} ms=${task.created_at} /></dd></div>
                ${
                    task.finished_at !== undefined &&
                    html`<div><dt>${t('task.finished_at')}</dt><dd><${Moment}
                    ms=${task.finished_at} /></dd></div>`
                }
            </dl>
            ${task.description && html`<p class="description" data-testid="description">${task.description}</p>`}
            <${History} id=${id} concerns=${concerns} />`}<//>`;
}
