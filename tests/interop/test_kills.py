"""Followers in Python and JavaScript while services, the broker and the followers themselves are killed under load: each
has in the end exactly what the producer's log has. ATES_SEED repeats a run; ATES_LONG makes it long."""
import collections
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import unittest
from typing import Optional

from support import ADMIN, IS_LONG, PATIENCE_S, ROOT, Daemon, ends_with_parent, environment, seeded, until

from ates import Client, Event, Refused  # noqa: E402 - support found it
from ates.follower import envelope_hash

KILLS, TASKS_A_KILL, LOADERS = (102, 60, 3) if IS_LONG else (6, 15, 2)
LOST = 10  # tasks that are created while there is no broker
AHEAD = 6  # that may be under way when something is killed
FOLLOWED = ('tasks', 'accounting')
CREATED = 'tasks.task_created.v2'


class FollowerProgram:
    """A program of examples that follows into a file; it may be killed and started again."""

    def __init__(self, daemon: Daemon, name: str, producer: str, command: list, topic: Optional[str] = None):
        self.producer, self.name = producer, f'{name}-{producer}'
        self.topic = topic  # of the events that it tells of; None: of all
        self.path = os.path.join(daemon.folder, f'{self.name}.out')
        cursor = os.path.join(daemon.folder, f'{self.name}.cursor')
        self._command = [*command, '--run', daemon.run, '--login', ADMIN, '--password-file', daemon.password_file, '--cursor', cursor]
        self.starts = 0
        self.start()

    def start(self) -> None:
        self.starts += 1
        with open(self.path, 'a', encoding='utf-8') as out:
            self.process = subprocess.Popen(self._command, env=environment(), stdout=out, preexec_fn=ends_with_parent)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process.poll() is None, f'{self.name} ended with {self.process.returncode}'
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)

    def last_seq(self) -> int:
        lines = self.lines(-4096)
        return lines[-1][0] if lines else 0

    def lines(self, offset: int = 0) -> list:
        """The whole ones so far, or those of the file's last bytes, each as (seq, the hash where it is told)."""
        with open(self.path, encoding='utf-8') as file:
            size = file.seek(0, os.SEEK_END)
            is_cut = file.seek(max(0, size + offset) if offset else 0) > 0
            return [read_line(line) for line in file.read().split('\n')[is_cut:-1]]


def read_line(line: str) -> tuple:
    if line.startswith('{'):
        told = json.loads(line)
        return told['seq'], told['hash']
    return int(line.split(' ', 1)[0]), None


class Kills(unittest.TestCase):
    def setUp(self):
        self.random = seeded()
        self.daemon = Daemon()
        self.addCleanup(self.daemon.close)
        self.daemon.start('broker', 'auth', *FOLLOWED)
        self.admin = self.daemon.client()
        self.addCleanup(self.admin.close)
        for name in ('ara', 'kea', 'lory'):
            self.admin.register_user(name, f'{name}@uberpopug.example', 'parrot-orbit-7', 'developer')
        self.made: list = []
        self.victims: list = []
        self.wrong: list = []
        self.is_enough = threading.Event()
        self.permits, self.permitted = threading.Semaphore(0), 0  # to create a task

    def follow(self) -> list:
        follow = [sys.executable, os.path.join(ROOT, 'examples', 'python', 'follow.py'), '--producer']
        found = [FollowerProgram(self.daemon, 'python', producer, [*follow, producer]) for producer in FOLLOWED]
        if os.environ.get('NODE'):
            notify = [os.environ['NODE'], os.path.join(ROOT, 'examples', 'node', 'notify.mjs')]
            found.append(FollowerProgram(self.daemon, 'node', 'tasks', notify, CREATED))
        else:
            print('NODE names no Node.js: the follower in JavaScript is not tested', flush=True)
        for program in found:
            self.addCleanup(program.kill)
        return found

    def creates_the_first(self) -> bool:
        try:
            self.admin.create_task('The first one')
            return True
        except Refused as refusal:
            self.assertEqual(refusal.reason, 'NO_ASSIGNEES')
            return False

    def load(self, number: int) -> None:
        """Creates tasks until it is enough; each call goes on through every kill, and has its effect once."""
        try:
            with Client(self.daemon.run, timeout_s=PATIENCE_S) as client:
                client.token, client.token_expires_at = self.admin.token, self.admin.token_expires_at
                for i in itertools.count():
                    self.permits.acquire()
                    if self.is_enough.is_set():
                        return
                    self.made.append(client.create_task(f'load {number} {i}').name)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(error)
            self.is_enough.set()

    def wait_for(self, is_so, words: str) -> None:
        until(lambda: is_so() or self.wrong, words)
        self.assertEqual(self.wrong, [])

    def kill_one(self, programs: list) -> str:
        """Each of them once in a round, the broker last: what then gets lost no restart of a follower makes good."""
        if not self.victims:
            self.victims = ['broker', *self.random.sample([*FOLLOWED, *programs], len(FOLLOWED) + len(programs))]
        victim = self.victims.pop()
        if not isinstance(victim, str):
            victim.kill()
            victim.start()
            return victim.name
        if victim == 'broker':
            for program in programs:
                self.wait_for_line(program, len(self.log_of(program.producer)))
        self.daemon.kill(victim)
        if victim == 'broker':
            self.wait_for_tasks(len(self.made) + LOST)  # whose events nobody hears
        self.daemon.spawn(victim)
        return victim

    def wait_for_tasks(self, count: int) -> None:
        """Has so many be created, and some more be under way."""
        wanted = count + AHEAD - self.permitted
        if wanted > 0:
            self.permits.release(wanted)
            self.permitted += wanted
        self.wait_for(lambda: len(self.made) >= count, f'{count} tasks')

    def wait_for_line(self, program: FollowerProgram, seq: int) -> None:
        self.wait_for(lambda: program.last_seq() >= seq, f'event {seq} in {program.path}')

    def log_of(self, producer: str) -> list:
        envelopes: list = []
        while True:
            result = self.admin.call(f'{producer}.read_events', {'after_seq': len(envelopes), 'limit': 1000}).result
            envelopes += result['events']
            if len(envelopes) >= result['head_seq']:
                return envelopes

    def test_nothing_is_missed(self):
        programs = self.follow()
        self.wait_for(self.creates_the_first, 'somebody to give tasks to')
        loaders = [threading.Thread(target=self.load, args=(number,)) for number in range(LOADERS)]
        for loader in loaders:
            loader.start()
        killed: collections.Counter = collections.Counter()
        try:
            for i in range(1, KILLS + 1):
                self.wait_for_tasks(i * TASKS_A_KILL)
                killed[self.kill_one(programs)] += 1
            self.wait_for_tasks(len(self.made) + TASKS_A_KILL)
        finally:
            self.is_enough.set()
            self.permits.release(LOADERS)
            for loader in loaders:
                loader.join()
        self.assertEqual(self.wrong, [])
        self.wait_for(self.is_all_booked, 'a fee for each task')
        logs = {producer: self.log_of(producer) for producer in FOLLOWED}
        self.check_effects(logs['tasks'])
        for program in programs:
            self.check(program, logs[program.producer])
        print(f'{len(self.made)} tasks, {killed.total()} kills: {dict(killed)}; events, each of them seen: '
              f'{ {producer: len(log) for producer, log in logs.items()} }', flush=True)

    def is_all_booked(self) -> bool:
        return self.admin.call('accounting.read_events', {'after_seq': 0, 'limit': 1}).result['head_seq'] == 2 * (len(self.made) + 1)

    def check_effects(self, log: list) -> None:
        """Each call made one task, whatever was killed while it waited."""
        created = collections.Counter(event.data['title'] for event in map(Event.read, log) if event.topic == CREATED)
        self.assertEqual(created, collections.Counter([*self.made, 'The first one']))

    def check(self, program: FollowerProgram, log: list) -> None:
        events = [Event.read(data) for data in log]
        self.assertEqual([event.seq for event in events], list(range(1, len(log) + 1)))
        expected = [(event.seq, envelope_hash(data).hex()) for event, data in zip(events, log) if program.topic in (None, event.topic)]
        self.wait_for_line(program, expected[-1][0])
        program.stop()
        lines = program.lines()
        # After a kill between the line and the cursor the last event comes again.
        seen = [line for i, line in enumerate(lines) if i == 0 or line != lines[i - 1]]
        self.assertLess(len(lines) - len(seen), program.starts)
        self.assertEqual([seq for seq, _ in seen], [seq for seq, _ in expected], f'{program.name}: in order, each of them')
        self.assertLessEqual({own for _, own in seen}, {None, *(own for _, own in expected)})


if __name__ == '__main__':
    unittest.main(verbosity=2)
