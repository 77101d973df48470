/* The tasks section: one's own tasks, those that are done, and everybody's for who may see them. */
import { html } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { route, setQuery } from '../router.js';
import { may } from '../routes.js';
import { Tabs } from '../ui/bits.js';
import { useStore } from '../ui/hooks.js';
import { Icon } from '../ui/icons.js';
import { AllTasks } from './tasks-all.js';
import { FinishedTasks, OpenTasks } from './tasks-mine.js';
import { NewTask } from './task-new.js';
import { Reassign } from './reassign.js';

export function Tasks({ user }) {
    const { query } = useStore(route);
    const sees = may.seeAllTasks(user.role);
    const views = sees ? ['all', 'mine', 'finished'] : ['mine', 'finished'];
    const current = views.includes(query.get('view')) ? query.get('view') : views[0];
    return html`<header class="page-head">
            <h1 tabindex="-1">${t('tasks.title')}</h1>
            <div class="actions">
                ${may.reassign(user.role) && html`<${Reassign} />`}
                <button type="button" onClick=${() => setQuery({ new: '1' })} data-testid="new-task"><${Icon}
                    name="plus" /> ${t('tasks.new')}</button>
            </div>
        </header>
        <${Tabs} label=${t('tasks.views')} current=${current}
            items=${views.map((name) => [name, t(`tasks.${name}`), name === views[0] ? '/tasks' : `/tasks?view=${name}`])} />
        ${current === 'all' && html`<${AllTasks} />`}
        ${current === 'mine' && html`<${OpenTasks} user=${user} />`}
        ${current === 'finished' && html`<${FinishedTasks} user=${user} />`}
        ${query.get('new') && html`<${NewTask} user=${user} onClose=${() => setQuery({ new: '' })} />`}`;
}
