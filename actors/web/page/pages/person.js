/* What an administrator may do with a person's account. */
import { html, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { fieldProblem, problemText } from '../problem.js';
import { ROLES } from '../routes.js';
import { api, session } from '../session.js';
import { Person, roleText } from '../ui/bits.js';
import { Dialog } from '../ui/dialog.js';
import { Field, Form, Select, Submit } from '../ui/field.js';
import { useAction } from '../ui/hooks.js';
import { toastDone } from '../ui/toast.js';

function Part({ title, text, problem, children }) {
    return html`<section class="part">
        <h3>${title}</h3>
        ${text && html`<p class="hint">${text}</p>`}
        ${children}
        ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    </section>`;
}

/* The changes of an account are alike: one request, a word, and the list read anew. */
function useChange(person, path, done, onChanged, valuesOf = () => ({})) {
    const action = useAction((key, body) => api.post(`/users/${person.id}/${path}`, body, { key }));
    const run = async (body) => {
        const { problem } = await action.run(body);
        if (problem !== undefined) return false;
        toastDone(t(done, { login: person.login, ...valuesOf(body) }));
        onChanged();
        return true;
    };
    return { ...action, run };
}

export function PersonDialog({ person, onChanged, onClose }) {
    const [role, setRole] = useState(person.role);
    const [password, setPassword] = useState('');
    const changeRole = useChange(person, 'role', 'person.role_changed', onChanged, (body) => ({
        role: roleText(body.role),
    }));
    const resetPassword = useChange(person, 'password', 'person.password_reset', onChanged);
    const revoke = useChange(person, 'revoke', 'person.revoked', onChanged);
    const disable = useChange(person, 'disable', 'person.was_disabled', onChanged);
    const enable = useChange(person, 'enable', 'person.was_enabled', onChanged);
    const isMe = person.id === session.get().user?.id;
    const busy = [changeRole, resetPassword, revoke, disable, enable].some((one) => one.busy);
    const text = ({ problem }) => problem && problemText(problem);
    const wrongPassword = resetPassword.problem && fieldProblem(resetPassword.problem, 'new_password');
    const reset = async () => (await resetPassword.run({ new_password: password })) && setPassword('');
    return html`<${Dialog} title=${t('person.title', { login: person.login })} onClose=${onClose} busy=${busy}
        testid="person-dialog">
        <p class="person-head"><${Person} id=${person.id} login=${person.login} /> <span
            class="hint">${person.email} · ${roleText(person.role)}</span></p>
        ${isMe && html`<p class="warning">${t('person.is_you')}</p>`}
        <${Part} title=${t('field.role')} problem=${text(changeRole)}>
            <${Form} class="inline" onSubmit=${() => changeRole.run({ role })}>
                <${Select} label=${t('person.new_role')} value=${role} onValue=${setRole}
                    options=${ROLES.map((name) => [name, roleText(name)])} />
                <${Submit} busy=${changeRole.busy} disabled=${role === person.role}
                    testid="change-role">${t('person.change_role')}<//>
            <//>
        <//>
        <${Part} title=${t('field.password')} text=${t('person.password_text')}
            problem=${!wrongPassword && text(resetPassword)}>
            <${Form} class="inline" onSubmit=${reset} problem=${resetPassword.problem} autocomplete="off">
                <${Field} label=${t('password.new')} type="password" autocomplete="new-password"
                    hint=${t('hint.password')} value=${password} onValue=${setPassword} error=${wrongPassword} />
                <${Submit} busy=${resetPassword.busy} disabled=${password === ''}
                    testid="reset-password">${t('person.reset_password')}<//>
            <//>
        <//>
        <${Part} title=${t('person.sessions')} text=${t('person.sessions_text')} problem=${text(revoke)}>
            <button type="button" class="secondary" aria-busy=${revoke.busy ? 'true' : 'false'}
                onClick=${() => revoke.run()} data-testid="revoke">${t('person.revoke')}</button>
        <//>
        ${
            person.disabled
                ? html`<${Part} title=${t('person.access')} text=${t('person.enable_text')} problem=${text(enable)}>
                    <button type="button" aria-busy=${enable.busy ? 'true' : 'false'} onClick=${() => enable.run()}
                        data-testid="enable">${t('person.enable')}</button>
                <//>`
                : html`<${Part} title=${t('person.access')} text=${t('person.disable_text')} problem=${text(disable)}>
                    <button type="button" class="danger" aria-busy=${disable.busy ? 'true' : 'false'}
                        onClick=${() => disable.run()} data-testid="disable">${t('person.disable')}</button>
                <//>`
        }
    <//>`;
}
