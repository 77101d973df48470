/* Registering oneself, in a role that is open for that; signs in at once. */
import { html, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { fieldProblem, formProblem } from '../problem.js';
import { api, settings, signIn } from '../session.js';
import { useAction, useStore } from '../ui/hooks.js';
import { Form, Submit } from '../ui/field.js';
import { ACCOUNT_FIELDS, AccountFields, emptyAccount } from './account-fields.js';

export default function Register() {
    const { open_roles: openRoles } = useStore(settings);
    const [account, setAccount] = useState(emptyAccount(openRoles[0]));
    const { busy, problem, run } = useAction(async (key, given) => {
        await api.post('/users', given, { key });
        await signIn(given.login, given.password);
    });
    if (openRoles.length === 0) {
        return html`<section class="narrow card"><h1
            tabindex="-1">${t('register.title')}</h1><p>${t('register.closed')}</p>
            <p class="aside"><a href="/sign-in">${t('sign_in.title')}</a></p></section>`;
    }
    const wrong = formProblem(problem, ACCOUNT_FIELDS);
    return html`<section class="narrow card">
        <h1 tabindex="-1">${t('register.title')}</h1>
        <${Form} onSubmit=${() => run(account)} problem=${problem}>
            ${wrong && html`<p class="problem" role="alert" data-testid="form-problem">${wrong}</p>`}
            <${AccountFields} account=${account} onAccount=${setAccount} roles=${openRoles}
                errorOf=${(name) => fieldProblem(problem, name)} />
            <${Submit} busy=${busy} testid="register">${t('register.action')}<//>
        <//>
        <p class="aside">${t('register.have_account')} <a href="/sign-in">${t('sign_in.title')}</a></p>
    </section>`;
}
