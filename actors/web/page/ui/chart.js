/* Bars of money by day. A chart never stands alone: a table beside it says the same, so it is one
 * image with a summary for those who do not see it. uPlot is loaded with the first chart. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../vendor/htm-preact.js';
import { formatDayShort, formatMoney } from '../format.js';
import { t } from '../i18n.js';
import { language } from '../i18n.js';
import { theme } from '../theme-switch.js';
import { useStore } from './hooks.js';

const HEIGHT = 260;
const DAY_S = 86400;

let loading;
function loadPlot() {
    loading ??= (async () => {
        const link = document.createElement('link');
        link.rel = 'stylesheet';
        link.href = new URL('../vendor/uplot.css', import.meta.url).href;
        const styled = new Promise((resolve) => (link.onload = link.onerror = resolve));
        document.head.append(link);
        const [module] = await Promise.all([import('../vendor/uplot.js'), styled]);
        return module.default;
    })();
    return loading;
}

const seconds = (date) => Date.parse(`${date}T00:00:00Z`) / 1000;
const dateOf = (second) => new Date(second * 1000).toISOString().slice(0, 10);
const colour = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();

function options(Plot, element, width) {
    const [plus, minus, text, line] = ['--ates-plus', '--ates-minus', '--pico-muted-color', '--ates-line'].map((name) =>
        colour(element, name),
    );
    const axis = {
        stroke: text,
        font: `12px ${getComputedStyle(element).fontFamily}`,
        grid: { stroke: line, width: 1 },
        ticks: { show: false },
    };
    return {
        width,
        height: HEIGHT,
        tzDate: (second) => Plot.tzDate(new Date(second * 1000), 'UTC'),
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
        scales: {
            x: { time: true, range: (_, from, to) => [from - DAY_S * 0.6, to + DAY_S * 0.6] },
            /* Bars begin at zero. */
            y: { range: (_, from, to) => [Math.min(0, from * 1.08), Math.max(0, to * 1.08) || 100] },
        },
        axes: [
            {
                ...axis,
                grid: { show: false },
                size: 34,
                space: 64,
                incrs: [1, 2, 7, 14, 28, 56, 91, 182, 364].map((days) => days * DAY_S),
                values: (_, splits) => splits.map((second) => formatDayShort(dateOf(second))),
            },
            {
                ...axis,
                size: 76,
                values: (_, splits) => splits.map((cents) => formatMoney(cents).replace(/[.,]00$/, '')),
            },
        ],
        series: [
            {},
            {
                paths: Plot.paths.bars({
                    size: [0.7, 48],
                    radius: 0.12,
                    disp: {
                        fill: { unit: 3, values: (plot) => plot.data[1].map((cents) => (cents < 0 ? minus : plus)) },
                    },
                }),
                fill: plus,
                stroke: 'transparent',
                width: 0,
                points: { show: false },
            },
        ],
    };
}

function summaryOf(items) {
    const sum = items.reduce((total, { income_cents: cents }) => total + cents, 0);
    const best = items.reduce((a, b) => (b.income_cents > a.income_cents ? b : a), items[0]);
    return t('chart.summary', {
        count: items.length,
        sum: formatMoney(sum),
        best: formatDayShort(best.date),
        most: formatMoney(best.income_cents),
    });
}

/* items: [{date, income_cents}], a day each. */
export function IncomeChart({ items }) {
    const frame = useRef();
    const plot = useRef();
    const [Plot, setPlot] = useState();
    const [over, setOver] = useState();
    const look = `${useStore(theme)} ${useStore(language)}`;
    useEffect(() => {
        let isHere = true;
        loadPlot().then(
            (loaded) => isHere && setPlot(() => loaded),
            () => {},
        ); /* the table is enough */
        return () => (isHere = false);
    }, []);
    const data = () => [items.map(({ date }) => seconds(date)), items.map(({ income_cents: cents }) => cents)];
    useLayoutEffect(() => {
        if (Plot === undefined || items.length === 0) return undefined;
        const element = frame.current;
        const made = new Plot(
            {
                ...options(Plot, element, element.clientWidth),
                hooks: { setCursor: [({ cursor }) => setOver(cursor.idx ?? undefined)] },
            },
            data(),
            element,
        );
        plot.current = made;
        const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
        watch.observe(element);
        return () => {
            watch.disconnect();
            made.destroy();
            plot.current = undefined;
        };
    }, [Plot, look, items.length === 0]);
    useEffect(() => plot.current?.setData(data()), [items]);
    if (items.length === 0) return null;
    const pointed = over === undefined ? undefined : items[over];
    return html`<figure class="chart">
        <div class="chart-frame" ref=${frame} role="img" aria-label=${summaryOf(items)} data-testid="chart"></div>
        <figcaption class="hint">
            ${pointed === undefined ? summaryOf(items) : `${formatDayShort(pointed.date)}: ${formatMoney(pointed.income_cents)}`}
        </figcaption>
    </figure>`;
}
