/* The list of keyboard shortcuts, and the switch to do without. */
import { html, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { shortcutsAreOn, switchShortcuts } from '../keys.js';
import { may, sections } from '../routes.js';
import { Dialog } from '../ui/dialog.js';

const GO = { tasks: 'g t', accounting: 'g a', analytics: 'g n', people: 'g p' };

function Row({ keys, text }) {
    return html`<div class="shortcut"><dt>${keys.split(' ').map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${text}</dd></div>`;
}

export default function Shortcuts({ user, onClose }) {
    const [on, setOn] = useState(shortcutsAreOn());
    const toggle = () => {
        switchShortcuts(!on);
        setOn(!on);
    };
    return html`<${Dialog} title=${t('shortcuts.title')} onClose=${onClose} testid="shortcuts-dialog">
        <dl class="shortcuts">
            ${
                user &&
                sections(user.role).map(
                    (name) => html`<${Row} key=${name} keys=${GO[name]}
                text=${t(`nav.${name}`)} />`,
                )
            }
            <${Row} keys="n" text=${t('shortcuts.new')} />
            <${Row} keys="/" text=${t('shortcuts.search')} />
            <${Row} keys="j" text=${t('shortcuts.next')} />
            <${Row} keys="k" text=${t('shortcuts.previous')} />
            <${Row} keys="Enter" text=${t('shortcuts.open')} />
            ${user && may.isAssigned(user.role) && html`<${Row} keys="c" text=${t('shortcuts.complete')} />`}
            <${Row} keys="Esc" text=${t('shortcuts.close')} />
            <${Row} keys="?" text=${t('shortcuts.list')} />
        </dl>
        <label class="switch"><input type="checkbox" role="switch" checked=${on} onChange=${toggle}
            data-testid="shortcuts-on" /> ${t('shortcuts.on')}</label>
    <//>`;
}
