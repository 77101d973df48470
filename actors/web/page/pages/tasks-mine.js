/* One's own tasks: those to do, and those that are done. */
import { html, useState } from '../vendor/htm-preact.js';
import { formatCount } from '../format.js';
import { t } from '../i18n.js';
import { api } from '../session.js';
import { Issue, Moment, TaskLink } from '../ui/bits.js';
import { useFresh } from '../ui/fresh.js';
import { useList } from '../ui/hooks.js';
import { Icon } from '../ui/icons.js';
import { Empty, More, Shown } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { toastDone, toastProblem } from '../ui/toast.js';

const AT_ONCE = 500; /* few people have more: so all are there, and finished ones can be sorted */
const NEWEST = { newest_first: true };

const isTasks = ({ producer }) => producer === 'tasks';
const mine =
    (status, order) =>
    (place, signal) =>
        api.get('/tasks/mine', { status, ...order, ...place }, signal);

/* Tasks said to be done before the service has agreed, by id: until it shows them as done, or
 * refuses. */
function useCompleting(view) {
    const [completing, setCompleting] = useState(new Set());
    const set = (id, on) =>
        setCompleting((before) => {
            const after = new Set(before);
            if (on) after.add(id);
            else after.delete(id);
            return after;
        });
    const complete = async (task) => {
        if (completing.has(task.id)) return;
        set(task.id, true);
        try {
            await api.post(`/tasks/${task.id}/complete`);
            toastDone(t('tasks.completed', { name: task.name }));
        } catch (problem) {
            set(task.id, false);
            toastProblem(problem);
        }
        view.reload();
    };
    return [completing, complete];
}

function Row({ task, isFresh, isDone, onComplete }) {
    return html`<li class="task-row ${isFresh ? 'fresh' : ''} ${isDone ? 'done' : ''}" data-row=${task.id}
        data-testid="task-${task.id}">
        <button type="button" class="tick" aria-label=${t('tasks.complete_named', { name: task.name })}
            aria-pressed=${isDone ? 'true' : 'false'} data-complete
            onClick=${() => onComplete(task)}><${Icon} name="check" /></button>
        <div class="task-text">
            <${Issue} task=${task} /><a class="task-name" href="/tasks/${task.id}">${task.name}</a>
            ${task.description && html`<p class="task-excerpt">${task.description.slice(0, 200)}</p>`}
        </div>
        <span class="task-when hint">#${task.id} · <${Moment} ms=${task.created_at} /></span>
    </li>`;
}

export function OpenTasks({ user }) {
    const key = `tasks-open ${user.id}`;
    const view = useList(key, { page: mine('open'), atOnce: AT_ONCE, concerns: isTasks });
    const fresh = useFresh(key, view, view.data?.items);
    const [completing, complete] = useCompleting(view);
    return html`<${Shown} view=${view}>${({ items }) => {
        const left = items.filter(({ id }) => !completing.has(id)).length;
        if (items.length === 0) return html`<${Empty} title=${t('tasks.none')}>${t('tasks.none_text')}<//>`;
        return html`<h2 class="list-head"
            data-testid="open-count">${t('tasks.open_count', { count: left, number: formatCount(left) })}</h2>
            <ul class="task-list" data-testid="my-tasks">
                ${items.map(
                    (task) => html`<${Row} key=${task.id} task=${task} isFresh=${fresh.has(task.id)}
                    isDone=${completing.has(task.id)} onComplete=${complete} />`,
                )}
            </ul>
            <${More} view=${view} />`;
    }}<//>`;
}

export function FinishedTasks({ user }) {
    const key = `tasks-finished ${user.id}`;
    const view = useList(key, { page: mine('finished', NEWEST), atOnce: AT_ONCE, concerns: isTasks });
    const fresh = useFresh(key, view, view.data?.items);
    const columns = [
        { key: 'name', label: t('task.name'), kind: 'main', cell: (task) => html`<${TaskLink} task=${task} />` },
        { key: 'finished', label: t('task.finished_at'), cell: (task) => html`<${Moment} ms=${task.finished_at} />` },
        { key: 'created', label: t('task.created_at'), cell: (task) => html`<${Moment} ms=${task.created_at} />` },
    ];
    return html`<${Shown} view=${view}>${({ items }) => {
        if (items.length === 0) return html`<${Empty} title=${t('tasks.none_finished')} />`;
        const latest = [...items].sort((a, b) => b.finished_at - a.finished_at);
        return html`<${Table} caption=${t('tasks.finished')} columns=${columns} rows=${latest} fresh=${fresh}
            testid="finished-tasks" /><${More} view=${view} />`;
    }}<//>`;
}
