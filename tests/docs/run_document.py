#!/usr/bin/env python3
"""Runs the commands that a document shows, in its order and in one shell, and compares what they print.

    run_document.py DOCUMENT           TAP: one test a command
    run_document.py --update DOCUMENT  writes what they print now into the document instead
    --link FOLDER before these: the shell finds it in its own one, under its name

A command stands behind "$ " in a block of ```console, with the lines that follow from "> "; what it prints stands
below it. "# exit N" as the last line of an output says that the command fails with N. Both sides are compared with
what no two runs have alike (times, amounts, ids, durations) masked out.

ATESD and ATESCTL name the programs; the shell starts in a new folder, which goes with all that it started.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FENCE = re.compile(r'^```(\w*)\s*$')
PATIENCE_S = 60 * float(os.environ.get('ATES_TIME_SCALE', '1'))

MASKS = [
    (re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z'), 'TIME'),
    (re.compile(r'\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? ([A-Z]{3,5}|[+-]\d\d)'), 'TIME'),
    (re.compile(r'\d{4}-\d\d-\d\d'), 'DATE'),
    (re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'), 'UUID'),
    (re.compile(r'[0-9a-f]{32,}'), 'HASH'),
    (re.compile(r'"[a-z_]*(_at|_cents|timestamp|event_time)":( ?)-?\d+'), 'NUMBER'),
    (re.compile(r'[+-]?\d+[.,]\d\d\b'), 'AMOUNT'),
    (re.compile(r'\b\d+(\.\d+)? ?(ms|us|s|KiB|MiB|kB|MB|/s)\b'), 'MEASURE'),
    (re.compile(r'\b\d+\.\d+\.\d+\b'), 'VERSION'),
    (re.compile(r'^(\w+) +\d+ +\d+ +TIME +\d+$', re.M), r'\1 COUNTS'),
    (re.compile(r'\bsound +\d+ +\d+'), 'sound COUNTS'),
    (re.compile(r'\b\d+ (records|events)\b'), r'COUNT \1'),
    (re.compile(r'[ \t]+'), ' '),
    (re.compile(r'[-─]{3,}'), '---'),
]


def masked(text):
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.strip().split('\n')]


class Command:
    """One command of the document: its text, and the lines of its output, from first up to end."""

    def __init__(self, first):
        self.line = first
        self.script = ''
        self.output = []
        self.first = self.end = 0


def read(lines):
    commands = []
    language = None
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if fence:
            language = None if language is not None else fence.group(1)
            continue
        if language != 'console':
            continue
        if line.startswith('$ '):
            commands.append(Command(number))
            commands[-1].script = line[2:]
        elif not commands:
            raise SystemExit(f'{number + 1}: an output without a command')
        elif line.startswith('> ') and not commands[-1].output:
            commands[-1].script += '\n' + line[2:]
        else:
            commands[-1].output.append(line)
        commands[-1].end = number + 1
    for command in commands:
        command.first = command.end - len(command.output)
    return commands


def environment(folder):
    own = {name: value for name, value in os.environ.items()
           if not name.startswith(('ATES_', 'XDG_')) and name not in ('NOTIFY_SOCKET', 'TRACEPARENT')}
    programs = os.path.join(folder, 'bin')
    os.mkdir(programs)
    for name, variable in (('atesd', 'ATESD'), ('atesctl', 'ATESCTL')):
        os.symlink(os.path.abspath(os.environ[variable]), os.path.join(programs, name))
    # Early in the afternoon: at midnight payment closes the day.
    offset = time.gmtime().tm_hour - 13
    return {**own, 'PATH': f'{programs}:{own["PATH"]}', 'HOME': folder, 'LANG': 'C.UTF-8', 'TERM': 'dumb', 'COLUMNS': '110',
            'ATES_TIME_ZONE': f'Etc/GMT{offset:+d}', 'ATES_WEB_LISTEN': '127.0.0.1:0'}


class Shell:
    """A bash that reads commands; each one's output ends with a mark that says how it ended."""

    def __init__(self, folder):
        self.mark = f'document-{os.getpid()}-'
        self.process = subprocess.Popen(['bash', '--norc', '--noprofile'], cwd=folder, env=environment(folder), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True)

    def run(self, script):
        # Not from the shell's own input, which a command might read.
        self.process.stdin.write(f"eval {quoted(script)} </dev/null; printf '\\n{self.mark}%d\\n' $?\n")
        self.process.stdin.flush()
        signal.alarm(int(PATIENCE_S))
        lines = []
        for line in self.process.stdout:
            if line.startswith(self.mark):
                signal.alarm(0)
                if lines and lines[-1] == '':
                    lines.pop()
                return lines, int(line[len(self.mark):])
            lines.append(line.rstrip('\n'))
        raise SystemExit('Bail out! the shell has ended')

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while group_lives(self.process.pid) and time.monotonic() < deadline:
            self.process.poll()
            time.sleep(0.05)
        if group_lives(self.process.pid):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def group_lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def quoted(script):
    return "'" + script.replace("'", "'\\''") + "'"


def printed(lines, code):
    return lines + ([f'# exit {code}'] if code != 0 else [])


def compare(number, command, found):
    expected, got = masked('\n'.join(command.output)), masked('\n'.join(found))
    good = expected == got
    title = command.script.split('\n')[0].replace('#', r'\#')
    print(f'{"ok" if good else "not ok"} {number} - line {command.line + 1}: {title}', flush=True)
    if not good:
        for word, lines in (('the document', command.output), ('now', found)):
            print(f'# {word}:')
            for line in lines:
                print(f'#   {line}')
    return good


def update(path, lines, results):
    for command, found in reversed(results):
        lines[command.first:command.end] = found
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')


def main():
    arguments = sys.argv[1:]
    links = []
    while arguments[:1] == ['--link']:
        links.append(arguments[1])
        del arguments[:2]
    is_update = arguments[:1] == ['--update']
    path = arguments[-1]
    with open(path, encoding='utf-8') as file:
        lines = file.read().split('\n')[:-1]
    commands = read(lines)
    folder = tempfile.mkdtemp(prefix='ates-document-')
    for link in links:
        os.symlink(os.path.abspath(link), os.path.join(folder, os.path.basename(link)))
    shell = Shell(folder)
    results, good = [], True
    try:
        print(f'1..{len(commands)}')
        for number, command in enumerate(commands, 1):
            found = printed(*shell.run(command.script))
            results.append((command, found))
            if not is_update:
                good &= compare(number, command, found)
    finally:
        shell.close()
        shutil.rmtree(folder)
    if is_update:
        update(path, lines, results)
    return 0 if good else 1


if __name__ == '__main__':
    signal.signal(signal.SIGALRM, lambda *_: sys.exit('Bail out! a command took too long'))
    sys.exit(main())
