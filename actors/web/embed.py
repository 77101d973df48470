"""Makes the page's files part of the daemon: embed.py WEB-FOLDER NODE-MODULES OUTPUT.c DEPFILE

Takes WEB-FOLDER/page and the libraries that it uses, puts a hash of all of it into the files' addresses
(/assets/HASH/NAME: what has an address never changes, so browsers keep it for good), compresses what gets
smaller, and writes the table web_assets of web_assets.h. In index.html {{assets}} stands for /assets/HASH,
and {{preload}} for links to all modules that the first one needs, so that they are fetched at once and not
one after the other as they are found. The same input gives the same output.
"""
import gzip
import hashlib
import os
import re
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
# What the page has of its libraries: name in the page, package, file in the package.
VENDOR = [
    ("vendor/htm-preact.js", "htm", "preact/standalone.module.js"),
    ("vendor/uplot.js", "uplot", "dist/uPlot.esm.js"),
    ("vendor/uplot.css", "uplot", "dist/uPlot.min.css"),
    ("vendor/pico.css", "@picocss/pico", "css/pico.min.css"),
]
LICENCES = [("htm", "LICENSE"), ("uplot", "LICENSE"), ("@picocss/pico", "LICENSE.md")]
BUNDLED = "vendor/htm-preact.js holds Preact too: Copyright (c) 2015-present Jason Miller, MIT licence.\n"
INDEX = "index.html"
ENTRY = "app.js"
ICON = "icon.svg"
# A package.json there only tells Node.js, in the tests, that the modules are ES modules.
NOT_SERVED = {"package.json"}
IMPORT = re.compile(r"""(?:^|[\s;}])(?:import|export)\b[^'"()]*?['"](\.[^'"]+)['"]""", re.MULTILINE)


def fail(words):
    sys.exit(f"embed.py: {words}")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        fail(f"{path}: {error.strerror}; try: npm ci --omit=dev (in actors/web)")


def gather(web, modules):
    """The files by name, and the paths that they came from."""
    files, paths = {}, [os.path.abspath(__file__)]
    page = os.path.join(web, "page")
    for folder, folders, names in sorted(os.walk(page)):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            key = os.path.relpath(path, page)
            if key in NOT_SERVED:
                continue
            if os.path.splitext(name)[1] not in TYPES:
                fail(f"{path}: of no type that is served; the types are in embed.py")
            files[key] = read(path)
            paths.append(path)
    for key, package, name in VENDOR:
        path = os.path.join(modules, package, name)
        files[key] = read(path)
        paths.append(path)
    licences = BUNDLED
    for package, name in LICENCES:
        path = os.path.join(modules, package, name)
        licences += f"\n== {package} ==\n\n{read(path).decode()}"
        paths.append(path)
    files["licences.txt"] = licences.encode()
    for needed in (INDEX, ENTRY, ICON):
        if needed not in files:
            fail(f"{page}/{needed} is missing")
    return files, paths


def static_imports(files, entry):
    """The entry and every module that it imports, and so on; not what is imported when it is needed."""
    found, left = [], [entry]
    while left:
        name = left.pop(0)
        if name in found:
            continue
        if name not in files:
            fail(f"page/{name} is imported, but not there")
        found.append(name)
        for target in IMPORT.findall(files[name].decode()):
            left.append(os.path.normpath(os.path.join(os.path.dirname(name), target)))
    return found


def literal(data):
    """A C string literal, some lines long; digits after an octal escape cannot be taken for its own."""
    escapes = {**{i: f"\\{i:03o}" for i in range(256)},
               **{i: chr(i) for i in range(32, 127) if chr(i) not in '"\\?'}}
    text = [escapes[byte] for byte in data]
    lines = ["".join(text[i:i + 100]) for i in range(0, len(text), 100)] or [""]
    return "\n".join(f'    "{line}"' for line in lines)


def main(web, modules, output, depfile):
    files, paths = gather(web, modules)
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    base = f"/assets/{digest.hexdigest()[:16]}"
    preload = "\n    ".join(f'<link rel="modulepreload" href="{base}/{name}" />'
                            for name in static_imports(files, ENTRY))
    index = files.pop(INDEX).decode().replace("{{preload}}", preload).replace("{{assets}}", base)
    served = {f"{base}/{name}": (name, data, True) for name, data in files.items()}
    served["/"] = (INDEX, index.encode(), False)
    served["/favicon.ico"] = (ICON, files[ICON], False)

    bodies, rows = [], []
    for number, path in enumerate(sorted(served)):
        name, data, immutable = served[path]
        packed = gzip.compress(data, 9, mtime=0)
        packed = packed if len(packed) < len(data) else b""
        bodies.append(f"static const char plain_{number}[] =\n{literal(data)};\n"
                      f"static const char gzip_{number}[] =\n{literal(packed)};\n")
        rows.append(
            f'    {{"{path}", "{TYPES[os.path.splitext(name)[1]]}", "\\"{hashlib.sha256(data).hexdigest()[:32]}\\"",\n'
            f"     {{(const uint8_t *)plain_{number}, {len(data)}}}, "
            f"{{(const uint8_t *)gzip_{number}, {len(packed)}}}, {str(immutable).lower()}}},\n")
    with open(output, "w", encoding="utf-8") as file:
        file.write("/* Made by embed.py of the files below actors/web/page. */\n"
                   '#include "web/web_assets.h"\n\n')
        file.write("\n".join(bodies))
        file.write("\nconst struct web_asset web_assets[] = {\n" + "".join(rows) + "};\n"
                   f"const size_t web_asset_count = {len(rows)};\n")
    with open(depfile, "w", encoding="utf-8") as file:
        file.write(f"{output}: " + " ".join(path.replace(" ", "\\ ") for path in paths) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        fail("usage: embed.py WEB-FOLDER NODE-MODULES OUTPUT.c DEPFILE")
    main(*sys.argv[1:])
