// The program that builds the page's files into the daemon: the same of the same, and a word for what is wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../actors/web/embed.py', import.meta.url));
const FILES = { 'page/index.html': '<script src="{{assets}}/app.js"></script>{{preload}}', 'page/app.js': "import { one } from './lib/one.js';\nexport { one };\n",
    'page/lib/one.js': "import two from '../two.js'; export const one = two;\nimport('./later.js');\n", 'page/lib/later.js': '', 'page/two.js': 'export default 2;\n', 'page/icon.svg': '<svg/>',
    'page/package.json': '{"type":"module"}', 'modules/htm/preact/standalone.module.js': '/* htm */', 'modules/uplot/dist/uPlot.esm.js': '/* uplot */', 'modules/uplot/dist/uPlot.min.css': '',
    'modules/@picocss/pico/css/pico.min.css': `/* pico */${'a{}'.repeat(1000)}`, 'modules/htm/LICENSE': 'Apache', 'modules/uplot/LICENSE': 'MIT', 'modules/@picocss/pico/LICENSE.md': 'MIT \u00a9' };
let folder;

before(() => { folder = mkdtempSync(join(tmpdir(), 'ates-embed-')); });
after(() => rmSync(folder, { recursive: true }));

// Runs it on these files, in a folder of this name: {status, stderr, code, inputs}.
function embed(name, files) {
    const here = join(folder, name);
    for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(here, path)), { recursive: true });
        writeFileSync(join(here, path), text);
    }
    const { status, stderr } = spawnSync('python3', [program, here, join(here, 'modules'), join(here, 'out.c'), join(here, 'out.d')], { encoding: 'utf8' });
    const read = (path) => (status === 0 ? readFileSync(join(here, path), 'utf8') : undefined);
    return { status, stderr, code: read('out.c'), inputs: read('out.d'), here };
}

const hash = ({ code }) => /\/assets\/([0-9a-f]{16})\//.exec(code)[1];

test('the same files give the same code, others another address', () => {
    const one = embed('one', FILES);
    assert.equal(one.status, 0, one.stderr);
    const same = embed('a folder of another name', Object.fromEntries(Object.entries(FILES).reverse()));
    assert.equal(same.code, one.code);
    for (const [name, files] of [['changed', { ...FILES, 'page/two.js': 'export default 3;\n' }], ['renamed', { ...FILES, 'page/lib/later2.js': '' }],
        ['library', { ...FILES, 'modules/uplot/dist/uPlot.esm.js': '/* uplot 2 */' }]]) {
        assert.notEqual(hash(embed(name, files)), hash(one), name);
    }
    const unserved = embed('unserved', { ...FILES, 'page/package.json': '{}' });
    assert.equal(hash(unserved), hash(one));
});

test('the table is sorted, and names what the first module needs', () => {
    const { code } = embed('table', FILES);
    const paths = [...code.matchAll(/^ {4}\{"([^"]+)", "/gm)].map(([, path]) => path);
    assert.deepEqual(paths, [...paths].sort());
    const base = `/assets/${hash({ code })}`;
    assert.deepEqual(paths, ['/', ...['app.js', 'icon.svg', 'lib/later.js', 'lib/one.js', 'licences.txt', 'two.js', 'vendor/htm-preact.js', 'vendor/pico.css', 'vendor/uplot.css', 'vendor/uplot.js']
        .map((name) => `${base}/${name}`), '/favicon.ico']);
    const preloads = [...code.replace(/"\s+"/g, '').matchAll(/modulepreload\\042 href=\\042\/assets\/\w+\/([\w./]+)/g)].map(([, name]) => name);
    assert.deepEqual(preloads, ['app.js', 'lib/one.js', 'two.js'], 'not what is imported later');
});

test('every file is an input, with its spaces', () => {
    const { inputs, here } = embed('with a space', { ...FILES, 'page/lib/a b.js': '' });
    const escaped = here.replaceAll(' ', '\\ ');
    for (const path of ['page/index.html', 'page/lib/one.js', 'modules/htm/LICENSE', 'page/lib/a\\ b.js']) assert.ok(inputs.includes(` ${escaped}/${path}`), `${path}: ${inputs}`);
    assert.ok(inputs.includes('embed.py'));
});

test('a word for what is wrong', () => {
    const without = (path) => Object.fromEntries(Object.entries(FILES).filter(([name]) => name !== path));
    const rows = [[without('page/index.html'), /index\.html is missing/], [without('page/app.js'), /app\.js is missing/], [without('page/icon.svg'), /icon\.svg is missing/],
        [{ ...FILES, 'page/notes.doc': '' }, /notes\.doc: of no type/], [without('page/two.js'), /page\/two\.js is imported, but not there/],
        [without('modules/htm/preact/standalone.module.js'), /standalone\.module\.js: .*npm ci/], [without('modules/uplot/LICENSE'), /LICENSE/]];
    rows.forEach(([files, words], i) => {
        const { status, stderr } = embed(`wrong ${i}`, files);
        assert.notEqual(status, 0);
        assert.match(stderr, words);
        assert.doesNotMatch(stderr, /Traceback/);
    });
});

// All bytes, and what C might read as more than itself.
test('what comes out is what went in', { skip: spawnSync('cc', ['--version']).status !== 0 && 'no C compiler' }, () => {
    const strange = 'a??=b"\\0123\u0000\u0001' + Array.from({ length: 256 }, (_, i) => String.fromCharCode(i) + (i % 10)).join('') + '\r\n\t?'.repeat(100);
    const { code, here } = embed('bytes', { ...FILES, 'page/two.js': strange });
    mkdirSync(join(here, 'web'));
    writeFileSync(join(here, 'web/web_assets.h'), '#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\nstruct ates_bytes { const uint8_t *data; size_t size; };\n'
        + 'struct web_asset { const char *path, *content_type, *etag; struct ates_bytes plain, gzip; bool is_immutable; };\nextern const struct web_asset web_assets[];\nextern const size_t web_asset_count;\n');
    writeFileSync(join(here, 'main.c'), '#include <stdio.h>\n#include <string.h>\n#include "web/web_assets.h"\nint main(void)\n{\n    for (size_t i = 0; i < web_asset_count; i++)\n'
        + '        if (strstr(web_assets[i].path, "two.js"))\n            fwrite(web_assets[i].plain.data, 1, web_assets[i].plain.size, stdout);\n}\n');
    const made = spawnSync('cc', ['-Wall', '-Wextra', '-Werror', '-I', here, '-o', join(here, 'main'), join(here, 'main.c'), join(here, 'out.c')], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    assert.equal(spawnSync(join(here, 'main'), { encoding: 'buffer' }).stdout.toString(), strange);
    assert.ok(code.length > 0);
});
