"""Clients and followers on another machine: over TCP with CURVE, by certificate files as atesctl makes them."""
import json
import os
import subprocess
import unittest

from support import ADMIN, PASSWORD, PATIENCE_S, ROOT, Daemon, environment, until

from ates import Client, Curve, Cursor, Follower, NoReply, Refused  # noqa: E402 - support found it

NAMES = ('auth', 'tasks', 'accounting', 'events')
PROGRAM_NAMES = ('auth', 'tasks', 'events')


class FarAway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon('listen\n' + ''.join(f'    {name} = tcp://127.0.0.1:0\n' for name in (*NAMES, 'publish')))
        cls.own = os.path.join(cls.daemon.folder, 'own')
        cls.keys('new', 'server')
        for name in ('ann', 'eve', 'mallory'):
            cls.keys('new', name, '--folder', cls.own)
        for kind in ('commands', 'events'):
            cls.allow('ann', kind)
        cls.daemon.start('all')
        cls.endpoints = {name: cls.address_of(name) for name in NAMES}

    @classmethod
    def tearDownClass(cls):
        cls.daemon.close()

    @classmethod
    def keys(cls, *arguments):
        return cls.daemon.atesctl('admin', 'keys', *arguments, '--data', cls.daemon.data, stderr=subprocess.DEVNULL)

    @classmethod
    def allow(cls, name: str, kind: str):
        cls.keys('allow', os.path.join(cls.own, f'{name}.cert'), '--socket', kind)

    @classmethod
    def address_of(cls, name: str) -> str:
        path = os.path.join(cls.daemon.run, f'{name}.address')
        until(lambda: os.path.exists(path), path)
        with open(path, encoding='utf-8') as file:
            return file.read().strip()

    def files(self, name: str) -> tuple:
        return os.path.join(self.daemon.data, 'curve', 'server.cert'), os.path.join(self.own, f'{name}.cert_secret')

    def client(self, name: str, timeout_s: float = PATIENCE_S) -> Client:
        client = Client(endpoints=self.endpoints, curve=Curve.from_files(*self.files(name)), timeout_s=timeout_s)
        self.addCleanup(client.close)
        return client

    def test_commands_and_events(self):
        ann = self.client('ann')
        ann.sign_in(ADMIN, PASSWORD)
        ann.register_user('ara', 'ara@uberpopug.example', 'parrot-orbit-7', 'developer')
        events = Follower(ann, 'auth', Cursor()).follow()
        until(lambda: next(events).data['login'] == 'ara', "ara's event")
        task = until(lambda: self.created(ann), 'somebody to give it to')
        # By PUB/SUB itself: what the log had is taken, and the head that comes every second is not waited for.
        ann.register_user('kea', 'kea@uberpopug.example', 'parrot-orbit-7', 'developer')
        self.assertEqual(next(events).data['login'], 'kea')
        server_file, own_file = self.files('ann')
        options = ['--login', ADMIN, '--password-file', self.daemon.password_file, '--once', '--server-key', server_file, '--own-key', own_file]
        for name in PROGRAM_NAMES:
            options += ['--endpoint', f'{name}={self.endpoints[name]}']
        program = self.daemon.program('follow.py', *options, '--run', '/nowhere', '--producer', 'tasks', '--cursor', os.path.join(self.own, 'a'))
        lines = [json.loads(line) for line in program.communicate(timeout=PATIENCE_S)[0].splitlines()]
        self.assertEqual((program.returncode, lines[0]['topic'], lines[0]['data']['task_id']), (0, 'tasks.task_created.v2', task.id))
        if not os.environ.get('NODE'):
            self.skipTest('NODE names no Node.js: the client in JavaScript is not tested')
        told = subprocess.run([os.environ['NODE'], os.path.join(ROOT, 'examples', 'node', 'notify.mjs'), *options, '--run', '/nowhere',
                               '--cursor', os.path.join(self.own, 'b')], env=environment(), text=True, check=True,
                              stdout=subprocess.PIPE, timeout=PATIENCE_S).stdout
        self.assertRegex(told, rf'^1 @\w+: you have a new task {task.id}: Over TCP\n')

    def created(self, client: Client):
        try:
            return client.create_task('Over TCP')
        except Refused as refusal:
            self.assertEqual(refusal.reason, 'NO_ASSIGNEES')
            return None

    def test_who_is_not_allowed_gets_nothing(self):
        with self.assertRaises(NoReply):
            self.client('eve', 1.5).call('auth.health')
        with Client(endpoints=self.endpoints, timeout_s=1.5) as plain, self.assertRaises(NoReply):
            plain.call('auth.health')
        wrong = Curve.from_files(os.path.join(self.own, 'eve.cert'), self.files('ann')[1])
        with Client(endpoints=self.endpoints, curve=wrong, timeout_s=1.5) as client, self.assertRaises(NoReply):
            client.call('auth.health')
        self.assertRaises(ValueError, Curve.from_files, self.files('ann')[0], os.path.join(self.own, 'ann.cert'))

    def test_a_key_that_is_revoked(self):
        self.allow('mallory', 'commands')
        mallory = self.client('mallory')
        self.assertEqual(mallory.call('auth.health').result['status'], 'serving')
        self.keys('revoke', 'mallory')
        with self.assertRaises(Refused) as caught:
            until(lambda: mallory.call('auth.health') is None, 'the refusal')
        self.assertEqual((caught.exception.status, caught.exception.reason), ('UNAUTHENTICATED', 'KEY_REVOKED'))


if __name__ == '__main__':
    unittest.main(verbosity=2)
