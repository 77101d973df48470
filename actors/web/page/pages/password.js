/* Changing one's own password. */
import { html, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { fieldProblem, formProblem } from '../problem.js';
import { changePassword, session } from '../session.js';
import { Dialog } from '../ui/dialog.js';
import { Field, Form, Submit } from '../ui/field.js';
import { useAction } from '../ui/hooks.js';
import { toastDone } from '../ui/toast.js';

export default function PasswordDialog({ onClose }) {
    const [old, setOld] = useState('');
    const [fresh, setFresh] = useState('');
    const { busy, problem, run } = useAction((key, ...given) => changePassword(...given, key));
    const submit = async () => {
        const { problem: refused } = await run(old, fresh);
        if (refused !== undefined) return;
        toastDone(t('password.done'));
        onClose();
    };
    /* Here the only credential that can be wrong is the password until now. */
    const wrongOld =
        problem?.reason === 'BAD_CREDENTIALS' ? t('password.wrong') : fieldProblem(problem, 'old_password');
    const wrong = wrongOld === undefined ? formProblem(problem, ['old_password', 'new_password']) : undefined;
    return html`<${Dialog} title=${t('password.title')} onClose=${onClose} busy=${busy} testid="password-dialog">
        <${Form} onSubmit=${submit} problem=${problem}>
            <p>${t('password.text')}</p>
            ${wrong && html`<p class="problem" role="alert">${wrong}</p>`}
            <input class="unseen" type="text" name="username" autocomplete="username"
                value=${session.get().user.login} readonly tabindex="-1" aria-hidden="true" />
            <${Field} label=${t('password.old')} type="password" name="old_password" autofocus
                autocomplete="current-password" required value=${old} onValue=${setOld} error=${wrongOld} />
            <${Field} label=${t('password.new')} hint=${t('hint.password')} type="password" name="new_password"
                autocomplete="new-password" required
                value=${fresh} onValue=${setFresh} error=${fieldProblem(problem, 'new_password')} />
            <footer class="actions">
                <button type="button" class="secondary" disabled=${busy}
                    onClick=${onClose}>${t('dialog.cancel')}</button>
                <${Submit} busy=${busy} testid="save-password">${t('password.action')}<//>
            </footer>
        <//>
    <//>`;
}
