/* Registering somebody, in any role. */
import { html, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { fieldProblem, formProblem } from '../problem.js';
import { ROLES } from '../routes.js';
import { api } from '../session.js';
import { Dialog } from '../ui/dialog.js';
import { Form, Submit } from '../ui/field.js';
import { useAction } from '../ui/hooks.js';
import { toastDone } from '../ui/toast.js';
import { ACCOUNT_FIELDS, AccountFields, emptyAccount } from './account-fields.js';

export function NewPerson({ onMade, onClose }) {
    const [account, setAccount] = useState(emptyAccount('developer'));
    const { busy, problem, run } = useAction((key, given) => api.post('/users', given, { key }));
    const submit = async () => {
        const { result } = await run(account);
        if (result === undefined) return;
        toastDone(t('people.made', { login: account.login }));
        onMade();
        onClose();
    };
    const wrong = formProblem(problem, ACCOUNT_FIELDS);
    return html`<${Dialog} title=${t('people.new')} onClose=${onClose} busy=${busy} testid="new-person-dialog">
        <${Form} onSubmit=${submit} problem=${problem} autocomplete="off">
            ${wrong && html`<p class="problem" role="alert">${wrong}</p>`}
            <${AccountFields} account=${account} onAccount=${setAccount} roles=${ROLES}
                errorOf=${(name) => fieldProblem(problem, name)} />
            <footer class="actions">
                <button type="button" class="secondary" disabled=${busy}
                    onClick=${onClose}>${t('dialog.cancel')}</button>
                <${Submit} busy=${busy} testid="create-person">${t('people.action')}<//>
            </footer>
        <//>
    <//>`;
}
