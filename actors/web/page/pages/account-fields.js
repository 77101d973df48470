/* The fields of a new account, for who registers and for administrators. */
import { html } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { roleText } from '../ui/bits.js';
import { Field, Select } from '../ui/field.js';

export const ACCOUNT_FIELDS = ['login', 'email', 'password', 'role'];
export const emptyAccount = (role) => ({ login: '', email: '', password: '', role });

export function AccountFields({ account, onAccount, roles, errorOf }) {
    const set = (name) => (value) => onAccount({ ...account, [name]: value });
    return html`<${Field} label=${t('field.login')} hint=${t('hint.login')} name="login" autofocus
        autocomplete="username" autocapitalize="none" spellcheck=${false}
            maxlength="64" required value=${account.login} onValue=${set('login')} error=${errorOf('login')} />
        <${Field} label=${t('field.email')} hint=${t('hint.email')} name="email" type="email" autocomplete="email"
            maxlength="254" required
            value=${account.email} onValue=${set('email')} error=${errorOf('email')} />
        <${Field} label=${t('field.password')} hint=${t('hint.password')} name="password" type="password"
            autocomplete="new-password" maxlength="256" required
            value=${account.password} onValue=${set('password')} error=${errorOf('password')} />
        ${
            roles.length > 1 &&
            html`<${Select} label=${t('field.role')} name="role" value=${account.role} onValue=${set('role')}
                options=${roles.map((role) => [role, roleText(role)])}
            error=${errorOf('role')} />`
        }`;
}
