/* The application's addresses. */

const ROUTES = [
    ['home', /^\/$/],
    ['sign-in', /^\/sign-in$/],
    ['register', /^\/register$/],
    ['tasks', /^\/tasks$/],
    ['task', /^\/tasks\/([1-9]\d{0,15})$/],
    ['accounting', /^\/accounting$/],
    ['analytics', /^\/analytics$/],
    ['people', /^\/people$/],
];

export function matchRoute(path) {
    const bare = path.length > 1 ? path.replace(/\/$/, '') : path;
    for (const [name, pattern] of ROUTES) {
        const match = pattern.exec(bare);
        if (match !== null) return { name, id: match[1] === undefined ? undefined : Number(match[1]) };
    }
    return { name: 'unknown', id: undefined };
}

/* The pages that are there without signing in. */
export const isOpen = (name) => name === 'sign-in' || name === 'register';

/* Where to go after signing in: only to a page of ours, never to where some link told us. */
export function safeReturn(to) {
    if (typeof to !== 'string' || !/^\/(?![/\\])/.test(to)) return '/';
    const { name } = matchRoute(to.split(/[?#]/)[0]);
    return name === 'unknown' || isOpen(name) ? '/' : to;
}

/* What an account may be. */
export const ROLES = ['administrator', 'manager', 'developer', 'boss', 'accountant', 'internalservice', 'other'];

const has =
    (...roles) =>
    (role) =>
        roles.includes(role);

/* Who may do what, as PROTOCOL.md's tables say; the services decide anew each time. */
export const may = {
    seeAllTasks: has('administrator', 'manager'),
    reassign: has('administrator', 'manager'),
    seeCompany: has('accountant', 'administrator'),
    seeTransfers: has('accountant'),
    seeAccounts: has('accountant', 'administrator'),
    pay: has('accountant'),
    seeAnalytics: has('administrator'),
    seePeople: has('administrator', 'manager'),
    changePeople: has('administrator'),
    isAssigned: (role) => role !== 'administrator' && role !== 'manager',
};

/* The sections in the order of the navigation. */
export function sections(role) {
    const all = [
        ['tasks', true],
        ['accounting', true],
        ['analytics', may.seeAnalytics(role)],
        ['people', may.seePeople(role)],
    ];
    return all.filter(([, open]) => open).map(([name]) => name);
}
