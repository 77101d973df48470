/* What went wrong, in the reader's words. */
import { hasText, t } from './i18n.js';

/* The last name in a field's path: "items[3].name" is about a name. */
const fieldName = (field) => field.slice(field.lastIndexOf('.') + 1);

/* Reasons of the API have a text each; of others the service's own detail is better than nothing.
 * A value that is refused is told by its field, where that has a text. */
export function problemText(problem) {
    const { reason = '', detail = '', field = '', retryAfterMs = 0 } = problem;
    const count = Math.max(1, Math.ceil(retryAfterMs / 1000));
    if (reason.startsWith('FIELD_') && hasText(`invalid.${fieldName(field)}`)) return t(`invalid.${fieldName(field)}`);
    if (hasText(`reason.${reason}`)) return t(`reason.${reason}`, { count });
    return detail || t('reason.other');
}

/* The message for one field of a form, if the problem is about it. */
export const fieldProblem = (problem, name) =>
    problem !== undefined && problem.field === name ? problemText(problem) : undefined;

/* The message for the form as a whole, if the problem is about none of its fields. */
export const formProblem = (problem, names) =>
    problem !== undefined && !names.includes(problem.field) ? problemText(problem) : undefined;
