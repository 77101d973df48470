/* Choosing a stretch of days; the choice lives in the address. */
import { html } from '../vendor/htm-preact.js';
import { rangeOf } from '../period.js';
import { route, setQuery } from '../router.js';
import { settings } from '../session.js';
import { t } from '../i18n.js';
import { useStore } from './hooks.js';
import { Field, Select } from './field.js';

/* {name, from?, to?} as the address says. */
export function usePeriod(names) {
    const { query } = useStore(route);
    const { business_date: today } = useStore(settings);
    return rangeOf(query.get('period'), { today, from: query.get('from'), to: query.get('to'), names });
}

export function PeriodControl({ names, period }) {
    const choose = (name) =>
        setQuery(
            name === 'custom' ? { period: name, from: period.from, to: period.to } : { period: name, from: '', to: '' },
        );
    return html`<${Select} label=${t('period.label')} value=${period.name} onValue=${choose}
        options=${names.map((name) => [name, t(`period.${name}`)])}
            data-testid="period" />
        ${
            period.name === 'custom' &&
            html`<${Field} label=${t('period.from')} type="date" value=${period.from}
                onValue=${(from) => from && setQuery({ from })} />
            <${Field} label=${t('period.to')} type="date" value=${period.to}
                onValue=${(to) => to && setQuery({ to })} />`
        }`;
}
