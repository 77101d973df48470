/* Dealing all open tasks anew: first it is asked how many that would be. */
import { html, useState } from '../vendor/htm-preact.js';
import { formatCount } from '../format.js';
import { t } from '../i18n.js';
import { problemText } from '../problem.js';
import { api } from '../session.js';
import { Confirm } from '../ui/dialog.js';
import { useAction } from '../ui/hooks.js';
import { Icon } from '../ui/icons.js';
import { toastDone, toastProblem } from '../ui/toast.js';

const counted = (count) => ({ count, number: formatCount(count) });

export function Reassign() {
    const [count, setCount] = useState();
    const asking = useAction((key) => api.post('/tasks/reassign', { dry_run: true }, { key }));
    const dealing = useAction((key) => api.post('/tasks/reassign', {}, { key }));
    const ask = async () => {
        dealing.reset();
        const { result, problem } = await asking.run();
        if (problem !== undefined) toastProblem(problem);
        else if (result !== undefined) setCount(result.reassigned);
    };
    const deal = async () => {
        const { result } = await dealing.run();
        if (result === undefined) return;
        setCount(undefined);
        toastDone(t('reassign.done', counted(result.reassigned)));
    };
    return html`<button type="button" class="secondary" aria-busy=${asking.busy ? 'true' : 'false'} onClick=${ask}
        data-testid="reassign">
            <${Icon} name="shuffle" /> ${t('reassign.button')}
        </button>
        ${
            count !== undefined &&
            html`<${Confirm} title=${t('reassign.title')} action=${t('reassign.action')} busy=${dealing.busy}
                disabled=${count === 0} onConfirm=${deal}
            problem=${dealing.problem && problemText(dealing.problem)}
            onClose=${() => setCount(undefined)} testid="reassign-dialog">
            <p data-testid="reassign-count">${t('reassign.text', counted(count))}</p>
            <p class="hint">${t('reassign.cost')}</p>
        <//>`
        }`;
}
