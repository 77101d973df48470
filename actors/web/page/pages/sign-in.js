/* Signing in. */
import { html, useEffect, useRef, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { fieldProblem, formProblem } from '../problem.js';
import { session, settings, signIn } from '../session.js';
import { useAction, useStore } from '../ui/hooks.js';
import { Field, Form, Submit } from '../ui/field.js';

const FIELDS = ['login', 'password'];

export function SignIn() {
    const { word } = useStore(session);
    const { open_roles: openRoles } = useStore(settings);
    const [login, setLogin] = useState('');
    const [password, setPassword] = useState('');
    const { busy, problem, run } = useAction((key, ...given) => signIn(...given, key));
    const first = useRef();
    useEffect(() => first.current?.focus(), []);
    const submit = () => run(login.trim(), password);
    const wrong = formProblem(problem, FIELDS);
    return html`<section class="narrow card">
        <h1 tabindex="-1">${t('sign_in.title')}</h1>
        ${word && !problem && html`<p class="note" role="status" data-testid="ended">${t(word)}</p>`}
        <${Form} onSubmit=${submit} problem=${problem}>
            ${wrong && html`<p class="problem" role="alert" data-testid="form-problem">${wrong}</p>`}
            <${Field} label=${t('field.login')} name="login" autocomplete="username" autocapitalize="none"
                spellcheck=${false} required
                inputRef=${first} value=${login} onValue=${setLogin} error=${fieldProblem(problem, 'login')} />
            <${Field} label=${t('field.password')} name="password" type="password"
                autocomplete="current-password" required
                value=${password} onValue=${setPassword} error=${fieldProblem(problem, 'password')} />
            <${Submit} busy=${busy} testid="sign-in">${t('sign_in.action')}<//>
        <//>
        ${
            openRoles.length > 0 &&
            html`<p class="aside">${t('sign_in.no_account')} <a
            href="/register">${t('sign_in.register')}</a></p>`
        }
    </section>`;
}
