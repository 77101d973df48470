/* Logins by user id: what lists show instead of numbers. Asked for together, at most 100 at once,
 * and kept, as logins never change. */

const AT_ONCE = 100;

/* ask(ids) gives [{id, login, role}]; changed() is called when there are new names. */
export function createNames({ ask, changed, later = (work) => setTimeout(work, 10) }) {
    const known = new Map();
    const wanted = new Set();
    let isAsking = false;

    async function flush() {
        isAsking = true;
        while (wanted.size > 0) {
            const ids = [...wanted].slice(0, AT_ONCE);
            ids.forEach((id) => wanted.delete(id));
            try {
                for (const { id, login, role } of await ask(ids)) known.set(id, { login, role });
                for (const id of ids) if (!known.has(id)) known.set(id, {}); /* nobody's: not asked again */
                changed();
            } catch {
                break; /* the next look asks again */
            }
        }
        isAsking = false;
    }

    return {
        /* {login, role}; undefined while it is not known. */
        look(id) {
            if (!known.has(id) && !wanted.has(id)) {
                if (wanted.size === 0 && !isAsking) later(flush);
                wanted.add(id);
            }
            return known.get(id);
        },
        /* Resolves once these are known, or can't be. */
        async ready(ids) {
            const missing = [...new Set(ids)].filter((id) => !known.has(id));
            for (let at = 0; at < missing.length; at += AT_ONCE) {
                const part = missing.slice(at, at + AT_ONCE);
                for (const { id, login, role } of await ask(part)) known.set(id, { login, role });
            }
        },
        learn(id, login, role) {
            known.set(id, { login, role });
        },
        all: () =>
            [...known]
                .filter(([, { login }]) => login !== undefined)
                .map(([id, { login, role }]) => ({ id, login, role })),
        forget() {
            known.clear();
            wanted.clear();
        },
    };
}
