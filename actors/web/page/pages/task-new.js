/* Creating a task: afterwards it says who got it. What was written is kept until then, also where
 * the session ends or the page is left. */
import { html, useState } from '../vendor/htm-preact.js';
import { t, tx } from '../i18n.js';
import { fieldProblem, formProblem } from '../problem.js';
import { api } from '../session.js';
import { Person } from '../ui/bits.js';
import { Dialog } from '../ui/dialog.js';
import { Field, Form, Submit, TextArea } from '../ui/field.js';
import { useAction } from '../ui/hooks.js';

const DRAFT = 'ates.draft';
const EMPTY = { name: '', jira_id: '', description: '' };

/* A field that is left empty is none. */
const given = ({ jira_id: issue, ...task }) => (issue ? { ...task, jira_id: issue } : task);

function keepDraft(userId, task) {
    try {
        if (task === undefined) sessionStorage.removeItem(DRAFT);
        else sessionStorage.setItem(DRAFT, JSON.stringify({ userId, task }));
    } catch {
        /* Storage is shut off: then nothing is kept. */
    }
}

function draftOf(userId) {
    try {
        const kept = JSON.parse(sessionStorage.getItem(DRAFT));
        return kept?.userId === userId ? kept.task : EMPTY;
    } catch {
        return EMPTY;
    }
}

export function NewTask({ user, onClose }) {
    const [task, setTask] = useState(() => draftOf(user.id));
    const [made, setMade] = useState();
    const { busy, problem, run } = useAction((key, made) => api.post('/tasks', made, { key }));
    const set = (name) => (value) => {
        const next = { ...task, [name]: value };
        setTask(next);
        keepDraft(user.id, next);
    };
    const submit = async () => {
        const { result } = await run(given(task));
        if (result === undefined) return;
        keepDraft(user.id, undefined);
        setTask(EMPTY);
        setMade(result.task);
    };
    /* Two dialogs, by their keys: each takes the focus as it comes. */
    if (made !== undefined) {
        return html`<${Dialog} key="made" title=${t('new_task.made')} onClose=${onClose} testid="new-task-dialog">
            <p data-testid="made"><a href="/tasks/${made.id}">#${made.id} ${made.name}</a><br />
                ${tx('new_task.got', { person: html`<${Person} id=${made.assigned_to} />` })}</p>
            <footer class="actions">
                <button type="button" class="secondary"
                    onClick=${() => setMade(undefined)}>${t('new_task.another')}</button>
                <button type="button" onClick=${onClose}>${t('dialog.done')}</button>
            </footer>
        <//>`;
    }
    const wrong = formProblem(problem, ['name', 'jira_id', 'description']);
    return html`<${Dialog} key="form" title=${t('new_task.title')} onClose=${onClose} busy=${busy}
        testid="new-task-dialog">
        <${Form} onSubmit=${submit} problem=${problem}>
            <p class="hint">${t('new_task.text')}</p>
            ${wrong && html`<p class="problem" role="alert">${wrong}</p>`}
            <${Field} label=${t('task.name')} name="name" autofocus maxlength="200" required autocomplete="off"
                value=${task.name} onValue=${set('name')} error=${fieldProblem(problem, 'name')} />
            <${Field} label=${t('task.jira_id')} name="jira_id" maxlength="32" autocomplete="off" hint=${t('new_task.jira_id')}
                value=${task.jira_id} onValue=${set('jira_id')} error=${fieldProblem(problem, 'jira_id')} />
            <${TextArea} label=${t('task.description')} name="description" maxlength="10000" value=${task.description}
                onValue=${set('description')}
                error=${fieldProblem(problem, 'description')} />
            <footer class="actions">
                <button type="button" class="secondary" disabled=${busy}
                    onClick=${onClose}>${t('dialog.cancel')}</button>
                <${Submit} busy=${busy} testid="create-task">${t('new_task.action')}<//>
            </footer>
        <//>
    <//>`;
}
