// Requests that are wrong, by what is wrong with them: {name, bytes, expect, ...}. bytes: a binary string, or parts of
// one; expect: the statuses that may answer it, null for a connection that is ended without an answer. What may be
// taken would make a task, or show something: so that a test sees where it was.

export const binary = (text) => Buffer.from(text, 'utf8').toString('latin1');

// A request that is right but for what is given; headers with the value null are left out.
export function request(method, target, { headers = {}, body, token, version = 'HTTP/1.1' } = {}) {
    const all = { Host: 'localhost', ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length }), ...headers };
    const lines = Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${target} ${version}\r\n${lines.join('')}\r\n${body ?? ''}`;
}

export const TASK = '{"name":"smuggled","description":""}';
const post = (token, body = TASK, more = {}) => request('POST', '/api/v1/tasks', { token, body, ...more });
const get = (token, target = '/api/v1/tasks/mine', more = {}) => request('GET', target, { token, ...more });

// Bodies that are no JSON, or more than one, or no object.
export function bodies(token) {
    const rows = {
        'nothing but space': ' \n', 'cut off': '{"name":"smuggled","descr', 'cut off in a text': '{"name":"smug', 'no end': '{"name":"a","description":""',
        'no beginning': '"name":"a"}', 'comma at the end': '{"name":"a","description":"",}', 'comma at the beginning': '{,"name":"a","description":""}',
        'no comma': '{"name":"a" "description":""}', 'no colon': '{"name" "a","description":""}', 'apostrophes': "{'name':'a','description':''}",
        'bare names': '{name:"a",description:""}', 'a comment': '{"name":"a",/* */"description":""}', 'a line comment': '{"name":"a","description":""}//',
        'two documents': TASK + TASK, 'garbage behind': `${TASK} x`, 'a NUL behind': `${TASK}\0`, 'a NUL before': `\0${TASK}`,
        'a NUL in a text': '{"name":"a\0b","description":""}', 'a tab in a name': '{"na\tme":"a","description":""}', 'a newline in a text': '{"name":"a\nb","description":""}',
        'an escape that is none': '{"name":"\\x61","description":""}', 'half an escape': '{"name":"\\u00","description":""}',
        'a lone surrogate': '{"name":"\\ud800","description":""}', 'surrogates the wrong way round': '{"name":"\\udc00\\ud800","description":""}',
        'an escaped NUL': '{"name":"a\\u0000b","description":""}', 'an escaped control character': '{"name":"a\\u0007b","description":""}',
        NaN: '{"name":NaN,"description":""}', Infinity: '{"name":-Infinity,"description":""}', 'a hexadecimal number': '{"name":0x10,"description":""}',
        'an octal number': '{"name":010,"description":""}', 'a plus': '{"name":+1,"description":""}', 'no digit before the point': '{"name":.5,"description":""}',
        'no digit behind the point': '{"name":1.,"description":""}', 'no exponent': '{"name":1e,"description":""}', 'a word': '{"name":tru,"description":""}',
        'a name twice': '{"name":"a","name":"b","description":""}', 'a name twice, escaped': '{"name":"a","n\\u0061me":"b","description":""}',
        'a list': '[]', 'a list of one': `[${TASK}]`, 'a text': '"name"', 'a number': '1', null: 'null', true: 'true',
        'a form': 'name=a&description=b', XML: '<task/>', 'an escaped name': '{"\\u0000":1,"name":"a","description":""}',
        'a long name of a field': `{"${'n'.repeat(100000)}":1}`, 'many fields': `{${Array.from({ length: 20000 }, (_, i) => `"f${i}":1`).join()}}`,
        'deep lists': `{"name":${'['.repeat(100000)}${']'.repeat(100000)},"description":""}`, 'deep objects': `${'{"a":'.repeat(30000)}1${'}'.repeat(30000)}`,
        'deep without an end': '['.repeat(200000), 'a long number': `{"name":${'9'.repeat(200000)},"description":""}`, 'a large exponent': '{"name":1e999999999,"description":""}',
        'a small exponent': '{"name":1e-999999999,"description":""}', 'a prototype': '{"__proto__":{"name":"a"},"name":"a","description":""}',
        'a lone continuation': '{"name":"\x80","description":""}', 'half a character': '{"name":"\xc3","description":""}', 'half a character, then a quote': '{"name":"\xe2\x82","description":""}',
        'an overlong slash': '{"name":"\xc0\xaf","description":""}', 'an overlong NUL': '{"name":"\xc0\x80","description":""}', 'a surrogate in UTF-8': '{"name":"\xed\xa0\x80","description":""}',
        'beyond Unicode': '{"name":"\xf4\x90\x80\x80","description":""}', 'five bytes': '{"name":"\xf8\x88\x80\x80\x80","description":""}', 'FF': '{"name":"\xff","description":""}',
        'bad UTF-8 in a name': '{"n\xffme":"a","description":""}', 'a byte order mark': `\xef\xbb\xbf${TASK}`,
        'UTF-16': Buffer.from(`\ufeff${TASK}`, 'utf16le').toString('latin1'), 'UTF-32': TASK.replace(/./g, '$&\0\0\0'), gzip: '\x1f\x8b\x08\0\0\0\0\0\0\x03',
        'a C1 control': '{"name":"\xc2\x85","description":""}', 'a DEL': '{"name":"\x7f","description":""}',
    };
    return Object.entries(rows).map(([name, body]) => ({ name: `body: ${name}`, bytes: post(token, body), expect: [400] }));
}

// A body's declared type and coding.
export function types(token) {
    const wrong = ['text/plain', 'text/json', 'application/jso', 'application/jsonx', 'application/json+x', 'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x', 'application/xml', '*/*', 'application/*', ';', 'application /json', 'application/msgpack'];
    return [
        ...wrong.map((type) => ({ name: `type: ${type}`, bytes: post(token, TASK, { headers: { 'Content-Type': type } }), expect: [415] })),
        { name: 'type: none', bytes: post(token, TASK, { headers: { 'Content-Type': null } }), expect: [415] },
        { name: 'type: empty', bytes: post(token, TASK, { headers: { 'Content-Type': '' } }), expect: [400, 415] },
        { name: 'type: twice', bytes: post(token, TASK, { headers: { 'Content-Type': 'application/json\r\nContent-Type: text/plain' } }), expect: [400] },
        { name: 'coding: gzip', bytes: post(token, '\x1f\x8b\x08\0\0\0\0\0\0\x03', { headers: { 'Content-Encoding': 'gzip' } }), expect: [400, 415] },
    ];
}

// Targets. None of them names anything that is there.
export function targets(token) {
    const none = ['/api/v1/tasks/..;/users', '/api/v1/..;/v1/tasks', '/api/v1/tasks;x=y', '/API/v1/tasks', '/api/V1/tasks', '/api/v1/Tasks', '/api/v1/tasks.json',
        '/api/v1/tasks/mine/x', '/api/v1', '/api', '/api/v1/', '/api/v2/tasks', '/api/v1/tasks%3Flimit=1', '/api/v1/tasks%23', '/api/v1%5C..%5Ctasks', '/etc/passwd',
        '/.env', '/.git/config', '/assets', '/assets/..;/index.html', '/assets/0000000000000000/app.js', '/index.html', '/api/v1/...', '/api/v1/..a',
        '/wp-login.php', '/metrics/x', '/healthz/x', '/%61dmin', '/api/v1/tasks/%E2%80%8B/complete/x'];
    const wrong = ['//', '//api/v1/tasks', '/api//v1/tasks', '/api/v1/tasks//', '/..', '/../', '/api/../api/v1/tasks', '/api/v1/./tasks', '/.', '/api/v1/tasks/..',
        '/%2e%2e/', '/%2E%2e/etc', '/.%2e/', '/%2e/', '/api/v1/%2e%2e/users', '/api%2fv1%2ftasks', '/api/v1%2Ftasks', '/assets/..%2f..%2fetc%2fpasswd', '/%00', '/api/v1/tasks%00',
        '/api/v1/tasks/1%00', '/%0d%0aX:%20y', '/%0a', '/%09', '/%1f', '/%7f', '/%', '/%2', '/%zz', '/%2g', '/%u0061', '/api/v1/tasks/%', '/%c0%af', '/%c0%ae%c0%ae/', '/%80',
        '/%ff', '/%ed%a0%80', '/%f4%90%80%80', '/\\', '/api\\v1\\tasks', '/..\\..\\etc', '/{', '/api/v1/tasks/{task_id}', '/<script>', '/"', '/^', '/`', '/|', '/caf\xc3\xa9', '/\xff',
        '/1/2/3/4/5/6/7/8/9', '/?=1', '/?&', '/?a&&b', '/?a=1&a=2', '/?%', '/?a=%', '/?a=%zz', '/?a=%00', '/?a=%0a', '/?a=%ff', '/?a=\xff', '/?a=<', '/?a="', '/?a=\\', '/?a={}',
        `/?${Array.from({ length: 33 }, (_, i) => `p${i}`).join('&')}`, '/#x', '/api/v1/tasks#x', 'api/v1/tasks', '*', '?', 'http://localhost/api/v1/tasks', 'https://evil.example/', 'localhost:80'];
    return [
        ...none.map((target) => ({ name: `target: ${target}`, bytes: get(token, target), expect: [404] })),
        ...none.map((target) => ({ name: `target: POST ${target}`, bytes: request('POST', target, { token, body: TASK }), expect: [404, 405] })),
        ...wrong.map((target) => ({ name: `target: ${target}`, bytes: get(token, target), expect: [400] })),
        { name: 'target: 10 000 bytes', bytes: get(token, `/${'a'.repeat(10000)}`), expect: [400, 404, 414, 431] },
        { name: 'target: 20 000 bytes', bytes: get(token, `/${'a'.repeat(20000)}`), expect: [414, null] },
        { name: 'target: 1 000 000 bytes', bytes: get(token, `/${'a'.repeat(1000000)}`), expect: [414, null] },
        { name: 'target: 5 000 parameters', bytes: get(token, `/?${'a&'.repeat(5000)}`), expect: [400] },
        { name: 'target: a query of 20 000 bytes', bytes: get(token, `/?a=${'a'.repeat(20000)}`), expect: [414, null] },
        { name: 'target: a space', bytes: get(token, '/ /api/v1/tasks'), expect: [400, null] },
        { name: 'target: a tab', bytes: get(token, '/\t'), expect: [400, null] },
        // The library ends a line at a NUL (as of 0.9.75).
        { name: 'target: a NUL', bytes: get(token, '/nothing\0/api/v1/tasks'), expect: [400, 404, null] },
        { name: 'target: a return', bytes: get(token, '/\r/x'), expect: [400, null] },
        { name: 'target: none', bytes: 'GET  HTTP/1.1\r\nHost: localhost\r\n\r\n', expect: [400, null] },
    ];
}

// First lines and headers.
export function heads(token) {
    const line = (text) => `${text}\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const header = (text) => `GET /api/v1/tasks/mine HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n${text}\r\n\r\n`;
    const some = (name, bytes, ...expect) => ({ name: `head: ${name}`, bytes, expect });
    return [
        some('method in small letters', line('get / HTTP/1.1'), 501), some('method that is none', line('FETCH / HTTP/1.1'), 501), some('method with a NUL', line('G\0T / HTTP/1.1'), 400, 501, null),
        some('method with a space before', line(' GET / HTTP/1.1'), 400, null), some('no method', line('/ HTTP/1.1'), 400, null), some('PATCH', line('PATCH / HTTP/1.1'), 405),
        some('TRACE', line('TRACE / HTTP/1.1'), 405), some('OPTIONS', line('OPTIONS * HTTP/1.1'), 400, 405), some('CONNECT', line('CONNECT localhost:22 HTTP/1.1'), 400, 405),
        some('a method of 20 000 letters', line(`${'G'.repeat(20000)} / HTTP/1.1`), 400, 414, 431, 501, null), some('a preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 505, null),
        some('TLS', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n', 400, 501, null), some('SSH', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 400, null), { ...some('nothing but NULs', `${'\0'.repeat(100)}\r\n\r\n`, 400, 501, null), cut: 'end' },
        some('nothing but 0xFF', `${'\xff'.repeat(100)}\r\n\r\n`, 400, 501, null), some('HTTP/2.0', line('GET / HTTP/2.0'), 400, 505, null), some('HTTP/1.2', line('GET /api/v1/nothing HTTP/1.2'), 400, 404, 505, null),
        some('HTTP/0.9', 'GET /\r\n\r\n', 400, 505, null), some('HTTP/1.10', line('GET / HTTP/1.10'), 400, 505, null), some('http/1.1', line('GET / http/1.1'), 400, 505, null),
        some('HTTP/1.1 and more', line('GET / HTTP/1.1 x'), 400, 505, null), some('HTTP/', line('GET / HTTP/'), 400, 505, null), some('FTP/1.1', line('GET / FTP/1.1'), 400, 505, null),
        some('HTTP/999999999999.1', line('GET / HTTP/999999999999.1'), 400, 505, null),
        some('no host', 'GET / HTTP/1.1\r\n\r\n', 400), some('two hosts', header('Host: evil.example'), 400), some('two hosts in one line', request('GET', '/', { headers: { Host: 'a\r\nHost: b' } }), 400),
        some('no colon', header('Nonsense'), 400), some('no name', header(': x'), 200, 400), some('space before the colon', header('X : y'), 400), some('space in a name', header('X Y: z'), 400),
        some('a folded line', header('X: y\r\n z\r\nContent-Length: 5\r\n 6'), 400), some('a NUL in a value', header('X: a\0b'), 200, 400, null), some('a NUL in a name', header('X\0: b'), 400, null),
        some('a bell in a value', header('X: a\x07b'), 400), some('a DEL in a value', header('X: a\x7fb'), 400), some('a return in a value', header('X: a\rb'), 400, null), some('a letter beyond ASCII in a name', header('\xc3\xa4: b'), 400),
        some('a name of 20 000 letters', header(`${'X'.repeat(20000)}: y`), 431, null), some('a value of 20 000 letters', header(`X: ${'y'.repeat(20000)}`), 431, null),
        some('1 000 headers', header(Array.from({ length: 1000 }, (_, i) => `X-${i}: y`).join('\r\n')), 431, null), some('30 000 headers', header('X: y\r\n'.repeat(30000) + 'X: z'), 431, null),
        some('a header without an end', `GET / HTTP/1.1\r\nHost: ${'x'.repeat(100000)}`, 414, 431, null),
        some('an authorization of 20 000 letters', request('GET', '/api/v1/tasks/mine', { token: 'x'.repeat(20000) }), 431, null),
        some('two authorizations', header('Authorization: Bearer x'), 400),
        ...['Bearer', 'Bearer ', 'Bearer x', 'bearer', 'Basic YTpi', 'Bearer a b', 'Bearer v4.public.', 'Bearer v4.local.AAAA', `Bearer ${token}x`, `Bearer ${token.slice(0, -1)}`, `Bearer ${token} `.repeat(2),
            `Bearer ${token.replace('public', 'PUBLIC')}`, `Bearer ${'A'.repeat(5000)}`, `Token ${token}`, token, '\xff', 'Bearer \xff'].map((value) => some(`authorization ${value.slice(0, 40)}`,
            post(undefined, TASK, { headers: { Authorization: value } }), 401)),
        ...['x'.repeat(65), '\xc3\xa4', 'a\tb', '\xff'].map((key) => some(`idempotency key ${JSON.stringify(key.slice(0, 9))}`, post(token, TASK, { headers: { 'Idempotency-Key': key } }), 400)),
        some('two idempotency keys', post(token, TASK, { headers: { 'Idempotency-Key': 'a\r\nIdempotency-Key: b' } }), 400),
        ...['x', 'deadbeef,tasks:-1', 'deadbeef,tasks', 'deadbeef,:1', 'deadbeef,tasks:99999999999999999999', 'deadbeef,tasks:1,tasks:2', '\xff', `deadbeef${',tasks:1'.repeat(100)}`, 'DEADBEEF,tasks:1 '].map((id) =>
            some(`last event ${JSON.stringify(id.slice(0, 30))}`, get(token, '/api/v1/events', { headers: { 'Last-Event-ID': id } }), 400)),
    ];
}

// Lengths: what a proxy in front might end elsewhere than we do. Behind each stands a whole request that must not be
// heard as one of its own, so the connection has to end.
export function smuggled(token) {
    const inner = post(token);
    const some = (name, headers, body = `0\r\n\r\n${inner}`, ...expect) => ({ name: `length: ${name}`, isLast: true, expect: expect.length > 0 ? expect : [400],
        bytes: `POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}` });
    const chunked = 'Transfer-Encoding: chunked';
    return [
        some('both', `Content-Length: 5\r\n${chunked}`), some('both, the other way round', `${chunked}\r\nContent-Length: 5`), some('two', 'Content-Length: 2\r\nContent-Length: 40', `{}${inner}`),
        some('twice the same', 'Content-Length: 2\r\nContent-Length: 2', `{}${inner}`), some('a list', 'Content-Length: 2, 2', `{}${inner}`), some('negative', 'Content-Length: -1', inner),
        some('a plus', 'Content-Length: +2', `{}${inner}`), some('hexadecimal', 'Content-Length: 0x2', `{}${inner}`), some('exponent', 'Content-Length: 2e0', `{}${inner}`), some('a point', 'Content-Length: 2.0', `{}${inner}`),
        some('a word', 'Content-Length: two', inner), some('empty', 'Content-Length:', inner), some('letters behind', 'Content-Length: 2x', `{}${inner}`), some('two numbers', 'Content-Length: 2 40', `{}${inner}`),
        some('larger than a number', 'Content-Length: 99999999999999999999', `{}${inner}`, 400, 413), some('2^64 + 2', 'Content-Length: 18446744073709551618', `{}${inner}`, 400, 413), some('2^64 - 1', 'Content-Length: 18446744073709551615', `{}${inner}`, 400, 413),
        some('2^63', 'Content-Length: 9223372036854775808', `{}${inner}`, 400, 413), some('space before the colon', 'Content-Length : 2', `{}${inner}`), some('an underscore', 'Content_Length: 40\r\nContent-Length: two', inner),
        some('a folded one', 'Content-Length: 2\r\n 0', `{}${inner}`), some('on the next line', 'Content-Length:\r\n 2', `{}${inner}`),
        some('chunked twice', `${chunked}\r\n${chunked}`), some('chunked and identity', `${chunked}\r\nTransfer-Encoding: identity`), some('identity', 'Transfer-Encoding: identity', `0\r\n\r\n${inner}`, 400, 501),
        some('chunked in a list', 'Transfer-Encoding: chunked, identity', undefined, 400, 501), some('gzip, chunked', 'Transfer-Encoding: gzip, chunked', undefined, 400, 501), some('xchunked', 'Transfer-Encoding: xchunked', undefined, 400, 501),
        some('chunked with a vertical tab', 'Transfer-Encoding: \x0bchunked', undefined, 400, 501), some('chunked in quotes', 'Transfer-Encoding: "chunked"', undefined, 400, 501), some('chunked, a comma', 'Transfer-Encoding: chunked,', undefined, 400, 501),
        some('space before chunked\'s colon', 'Transfer-Encoding : chunked'), some('folded chunked', 'Transfer-Encoding:\r\n chunked'), some('empty coding', 'Transfer-Encoding:', undefined, 400, 501),
        some('a coding in a folded line', 'X: y\r\n Transfer-Encoding: chunked', `${inner}`, 400),
        { ...some('chunked in HTTP/1.0', chunked), bytes: `POST /api/v1/session HTTP/1.0\r\nHost: localhost\r\n${chunked}\r\n\r\n0\r\n\r\n${inner}` },
        ...['x', '-1', '+1', '0x1', ' 1', '1 1', '', '10000000000000000', '1ffffffffffffffff', '1g', '1\0'].map((size) =>
            some(`a chunk of ${JSON.stringify(size)}`, chunked, `${size}\r\n{\r\n0\r\n\r\n${inner}`, 400, 413, null)),
        some('a chunk longer than it says', chunked, `1\r\n{}\r\n0\r\n\r\n${inner}`, 400, null), some('a chunk without its end', chunked, `2\r\n{}0\r\n\r\n${inner}`, 400, null), some('a chunk\'s size without an end', chunked, '1'.repeat(100000), 400, 413, null),
    ];
}

// Bodies that are too large, and chunks without an end.
export function sizes(token) {
    const chunked = `POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const many = Array.from({ length: 3000 }, () => `400\r\n${'x'.repeat(1024)}\r\n`);
    return [
        { name: 'size: one byte too much', bytes: post(token, `${TASK}${' '.repeat(256 * 1024 + 1 - TASK.length)}`), expect: [413] },
        { name: 'size: 900 000', bytes: post(token, ' '.repeat(900000)), expect: [413] },
        { name: 'size: 3 000 000', bytes: post(token, ' '.repeat(3000000)), expect: [413, null] },
        { name: 'size: declared only', bytes: post(token, '', { headers: { 'Content-Length': 1e12 } }), expect: [413] },
        { name: 'size: announced', bytes: post(token, '', { headers: { 'Content-Length': 300000, Expect: '100-continue' } }), expect: [413] },
        { name: 'size: 300 chunks', bytes: [chunked, ...many.slice(0, 300), '0\r\n\r\n'], expect: [413] },
        { name: 'size: 3 000 chunks', bytes: [chunked, ...many, '0\r\n\r\n'], expect: [413, null] },
    ];
}

// Requests of which the rest never comes: the connection is ended there, in one way or the other.
export function cuts(token) {
    const whole = post(token);
    const chunked = `POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n24\r\n${TASK}`;
    const places = [0, 1, 4, 20, 34, whole.indexOf('\r\n\r\n'), whole.indexOf('\r\n\r\n') + 4, whole.length - TASK.length + 5, whole.length - 1];
    return [
        ...places.flatMap((place) => [true, false].map((isPolite) =>
            ({ name: `cut: after ${place} bytes, ${isPolite ? 'politely' : 'hard'}`, bytes: whole.slice(0, place), cut: isPolite ? 'end' : 'close', expect: [null] }))),
        ...['ffffffffffffffff', '8000000000000000', '100000'].map((size) =>
            ({ name: `cut: in a chunk of ${size}`, bytes: chunked.replace('\r\n24\r\n', `\r\n${size}\r\n`) + whole, cut: 'end', expect: [null, 400, 413] })),
        { name: 'cut: in a chunk', bytes: chunked.slice(0, -5), cut: 'close', expect: [null] },
        { name: 'cut: before the last chunk', bytes: `${chunked}\r\n`, cut: 'end', expect: [null, 400] },
    ];
}
