/* Form fields with label, hint and error, tied together for everybody. */
import { html, useEffect, useRef } from '../vendor/htm-preact.js';

let count = 0;
function useId() {
    const id = useRef();
    id.current ??= `field-${++count}`;
    return id.current;
}

function Frame({ id, label, hint, error, children, unseenLabel }) {
    return html`<div class="field">
        <label for=${id} class=${unseenLabel ? 'unseen' : ''}>${label}</label>
        ${children}
        ${hint && html`<small id="${id}-hint" class="hint">${hint}</small>`}
        ${error && html`<small id="${id}-error" class="field-error" role="alert">${error}</small>`}
    </div>`;
}

const describedBy = (id, hint, error) =>
    [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;

export function Field({ label, hint, error, value, onValue, unseenLabel, type = 'text', inputRef, ...rest }) {
    const id = useId();
    return html`<${Frame} ...${{ id, label, hint, error, unseenLabel }}>
        <input id=${id} type=${type} value=${value} ref=${inputRef} aria-describedby=${describedBy(id, hint, error)}
            aria-invalid=${error ? 'true' : undefined} onInput=${(event) => onValue(event.currentTarget.value)} ...${rest} />
    <//>`;
}

export function TextArea({ label, hint, error, value, onValue, rows = 5, ...rest }) {
    const id = useId();
    return html`<${Frame} ...${{ id, label, hint, error }}>
        <textarea id=${id} rows=${rows} value=${value} aria-describedby=${describedBy(id, hint, error)}
            aria-invalid=${error ? 'true' : undefined}
            onInput=${(event) => onValue(event.currentTarget.value)} ...${rest}></textarea>
    <//>`;
}

/* options: [[value, text], ...] */
export function Select({ label, hint, error, value, onValue, options, unseenLabel, ...rest }) {
    const id = useId();
    return html`<${Frame} ...${{ id, label, hint, error, unseenLabel }}>
        <select id=${id} value=${value} aria-describedby=${describedBy(id, hint, error)}
            aria-invalid=${error ? 'true' : undefined}
            onChange=${(event) => onValue(event.currentTarget.value)} ...${rest}>
            ${options.map(
                ([key, text]) => html`<option key=${key} value=${key}
                selected=${key === value}>${text}</option>`,
            )}
        </select>
    <//>`;
}

/* A form that does nothing but call onSubmit. Where that ends with a problem of a field, the focus
 * goes there. Checking is the service's: it knows the rules, and we know their texts. */
export function Form({ onSubmit, problem, children, ...rest }) {
    const form = useRef();
    const submit = (event) => {
        event.preventDefault();
        onSubmit();
    };
    useEffect(() => {
        if (problem !== undefined) form.current.querySelector('[aria-invalid=true]')?.focus();
    }, [problem]);
    return html`<form ref=${form} onSubmit=${submit} novalidate ...${rest}>${children}</form>`;
}

export function Submit({ busy, children, disabled = false, testid }) {
    return html`<button type="submit" aria-busy=${busy ? 'true' : 'false'} disabled=${busy || disabled}
        data-testid=${testid}>${children}</button>`;
}
