"""aTES for a test: a folder of its own, its keys and administrator, and atesd - all of it in one process, or each service
in one of its own. What was started ends with the test, and the folder goes. ATESD and ATESCTL name the programs."""
import atexit
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'examples', 'python'))
sys.dont_write_bytecode = True

from ates import Client  # noqa: E402 - only now it is found

ADMIN, PASSWORD = 'admin', 'administrator-1'
PATIENCE_S = 60 * float(os.environ.get('ATES_TIME_SCALE', '1'))
IS_LONG = os.environ.get('ATES_LONG', '0') not in ('', '0')
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def seeded() -> random.Random:
    seed = int(os.environ.get('ATES_SEED') or time.time_ns() % 1000000007)
    print(f'seed: ATES_SEED={seed}', flush=True)
    return random.Random(seed)


def until(made, words: str):
    """What made gives, as soon as it is true. The pauses only keep the machine free."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = made()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f'this never came: {words}')
        time.sleep(0.02)


def ends_with_parent() -> None:
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def environment() -> dict:
    own = {name: value for name, value in os.environ.items() if not name.startswith('ATES_') and name != 'NOTIFY_SOCKET'}
    offset = time.gmtime().tm_hour - 13  # early in the afternoon: at midnight payment closes the day
    return {**own, 'ATES_TIME_ZONE': f'Etc/GMT{offset:+d}', 'ATES_WEB_LISTEN': '127.0.0.1:0', 'PYTHONDONTWRITEBYTECODE': '1'}


class Daemon:
    """Data, keys and users in a folder; the programs that run on them."""

    def __init__(self, settings: str = ''):
        self.folder = tempfile.mkdtemp(prefix='ates-interop-')
        self.data, self.run = os.path.join(self.folder, 'data'), os.path.join(self.folder, 'run')
        self.processes: dict = {}
        self._tokens: dict = {}  # by login
        atexit.register(self.close)
        self.atesctl('admin', 'init', '--data', self.data, '--login', ADMIN, '--email', 'admin@uberpopug.example',
                     '--password-file', '-', input=PASSWORD)
        self._settings = ['-c', self.write('ates.conf', settings)] if settings else []
        self.password_file = self.write('password', PASSWORD + '\n')

    def write(self, name: str, text: str) -> str:
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def atesctl(self, *arguments, **options) -> str:
        return subprocess.run([os.environ['ATESCTL'], *arguments], check=True, text=True, env=environment(),
                              stdout=subprocess.PIPE, **options).stdout

    def program(self, name: str, *arguments, **options) -> subprocess.Popen:
        """One of examples/python, signed in as the administrator; its output is a pipe, of text."""
        path = os.path.join(ROOT, 'examples', 'python', name)
        return subprocess.Popen([sys.executable, path, '--run', self.run, '--login', ADMIN, '--password-file',
                                 self.password_file, *arguments], env=environment(), text=True,
                                stdout=options.pop('stdout', subprocess.PIPE), preexec_fn=ends_with_parent, **options)

    def start(self, *services) -> None:
        for service in services:
            self.spawn(service)
        for service in services:
            self.wait_for('auth' if service == 'all' else service)

    def spawn(self, service: str) -> None:
        with open(os.path.join(self.folder, f'{service}.log'), 'a', encoding='utf-8') as log:
            self.processes[service] = subprocess.Popen(
                [os.environ['ATESD'], service, *self._settings, '--data', self.data, '--run', self.run], env=environment(),
                stderr=log,
                preexec_fn=ends_with_parent)

    def wait_for(self, service: str) -> None:
        if service == 'broker':
            return  # nobody asks it: who connects finds it by and by
        with Client(self.run, timeout_s=PATIENCE_S) as client:
            client.call(f'{service}.health')

    def kill(self, service: str) -> None:
        process = self.processes.pop(service)
        process.kill()
        process.wait()

    def stop(self, service: str) -> None:
        process = self.processes.pop(service)
        process.terminate()
        code = process.wait(PATIENCE_S)
        if code != 0:
            with open(os.path.join(self.folder, f'{service}.log'), encoding='utf-8') as log:
                raise AssertionError(f'{service} ended with {code}: {log.read()}')

    def client(self, login: str = ADMIN, password: str = PASSWORD) -> Client:
        """Signed in; a password is hashed for the first one of a login only."""
        client = Client(self.run, timeout_s=PATIENCE_S)
        if login not in self._tokens:
            client.sign_in(login, password)
            self._tokens[login] = client.token, client.token_expires_at
        client.token, client.token_expires_at = self._tokens[login]
        return client

    def close(self) -> None:
        atexit.unregister(self.close)
        try:
            for service in list(self.processes):
                self.stop(service)
        finally:
            for process in self.processes.values():
                process.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
