/* Choosing a person by login. Administrators and managers search all people; others have those whose
 * names the pages have met, and numbers. */
import { html, useEffect, useRef, useState } from '../vendor/htm-preact.js';
import { t } from '../i18n.js';
import { may } from '../routes.js';
import { api, session } from '../session.js';
import { names, useName } from './bits.js';
import { Field } from './field.js';
import { useRested } from './hooks.js';

const SHOWN_MAX = 20;

function useFound(words) {
    const [found, setFound] = useState([]);
    const searches = may.seePeople(session.get().user?.role);
    useEffect(() => {
        if (!searches) {
            setFound(
                names
                    .all()
                    .filter(({ login }) => login.toLowerCase().startsWith(words.toLowerCase()))
                    .slice(0, SHOWN_MAX),
            );
            return undefined;
        }
        const abort = new AbortController();
        api.get('/users', { query: words, limit: SHOWN_MAX }, abort.signal)
            .then(({ items }) => {
                items.forEach(({ id, login, role }) => names.learn(id, login, role));
                setFound(items);
            })
            .catch(() => {}); /* suggestions only: a login written out works without */
        return () => abort.abort();
    }, [words]);
    return found;
}

/* id is undefined while nobody is chosen. */
export function PersonPicker({ label, id, onId }) {
    const chosen = useName(id);
    const [words, setWords] = useState(chosen);
    const list = useRef();
    list.current ??= `people-${Math.random().toString(36).slice(2)}`;
    const found = useFound(useRested(words));
    useEffect(() => setWords(chosen), [chosen]);
    const write = (value) => {
        setWords(value);
        const wanted = value.trim().toLowerCase();
        const number = /^#([1-9]\d{0,14})$/.exec(wanted)?.[1];
        const person = [...found, ...names.all()].find(({ login }) => login.toLowerCase() === wanted);
        if (wanted === '') onId(undefined);
        else if (number !== undefined) onId(Number(number));
        else if (person !== undefined) onId(person.id);
    };
    return html`<${Field} label=${label} value=${words} onValue=${write} list=${list.current} autocomplete="off"
        autocapitalize="none" spellcheck=${false}
            placeholder=${t('filter.anybody')} data-testid="person" />
        <datalist id=${list.current}>${found.map(
            ({ id: one, login }) => html`<option key=${one}
            value=${login}></option>`,
        )}</datalist>`;
}
