/* Addresses that lead nowhere, or not for this role. */
import { html } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { Logo } from '../ui/popug.js';

function Nothing({ title, text }) {
    return html`<section class="narrow empty"><${Logo} /><h1 tabindex="-1">${title}</h1><p>${text}</p><p><a
        href="/">${t('nav.home')}</a></p></section>`;
}

export const Unknown = () => html`<${Nothing} title=${t('unknown.title')} text=${t('unknown.text')} />`;
export const NotForYou = () =>
    html`<${Nothing} title=${t('not_for_you.title')} text=${t('reason.ROLE_NOT_ALLOWED')} />`;
