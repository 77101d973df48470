"""A day of the Python client and of its programs against services that run: what is said, seen, refused and repeated."""
import csv
import io
import json
import os
import subprocess
import threading
import unittest

import zmq

from fake_producer import LOG_ID, FakeProducer
from support import PATIENCE_S, Daemon, until

from ates import Broken, Client, Compacted, Cursor, Follower, NoReply, Refused  # noqa: E402 - support found it

STRANGER = 'ara', 'ara@uberpopug.example', 'parrot-orbit-7', 'developer'


def create(client: Client, name: str):
    """A task, as soon as tasks has heard of somebody to give it to."""
    def attempt():
        try:
            return client.create_task(name)
        except Refused as refusal:
            if refusal.reason != 'NO_ASSIGNEES':
                raise
            return None
    return until(attempt, 'somebody to give tasks to')


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.daemon.start('all')
        cls.admin = cls.daemon.client()
        with Client(cls.daemon.run, timeout_s=PATIENCE_S) as nobody:
            cls.ara_id = nobody.register_user(*STRANGER)
        cls.ara = cls.daemon.client(STRANGER[0], STRANGER[2])
        cls.boris_id = cls.admin.register_user('boris', 'boris@uberpopug.example', 'abacus-orbit-7', 'accountant')
        cls.boris = cls.daemon.client('boris', 'abacus-orbit-7')
        create(cls.admin, 'The first one')

    @classmethod
    def tearDownClass(cls):
        for client in (cls.admin, cls.ara, cls.boris):
            client.close()
        cls.daemon.close()

    def create(self, name: str):
        return create(self.admin, name)

    def refused(self, status: str, reason: str, field, call, *arguments) -> None:
        with self.assertRaises(Refused) as caught:
            call(*arguments)
        found = caught.exception
        self.assertEqual((found.status, found.reason, found.field), (status, reason, field))
        self.assertTrue(found.message)

    def client_of(self, user_id: int) -> Client:
        if user_id == self.ara_id:
            return self.ara
        self.assertEqual(user_id, self.boris_id)
        return self.boris

    def test_a_task_from_creation_to_reward(self):
        with self.daemon.client() as client:
            follower = Follower(client, 'tasks', Cursor())
            events = follower.follow()
            task = self.create('Feed the parrots')
            created = next(event for event in events if event.data.get('task_id') == task.id)
            self.assertEqual((created.event_name, created.data['assigned_to'], created.log_id),
                             ('task_created', task.assigned_to, follower.cursor.log_id))
            assignee = self.client_of(task.assigned_to)
            done = assignee.complete_task(task.id)
            self.assertTrue(done.is_finished and done.finished_at >= task.created_at)
            completed = next(event for event in events if event.event_name == 'task_completed')
            self.assertEqual(completed.data, {'task_id': task.id, 'completed_by': task.assigned_to})
            self.assertEqual(completed.prev, created_hash(client, created.seq, completed.seq))
            booked = until(lambda: self.fees_and_rewards(task), 'both transfers')
            self.assertLessEqual(-2000, booked['assign_fee'])
            self.assertLessEqual(2000, booked['completion_reward'])

    def fees_and_rewards(self, task) -> dict:
        transfers = list(self.boris.transfers(user_id=task.assigned_to, limit=2))
        found = {transfer.kind: transfer.delta_cents for transfer in transfers if transfer.task_id == task.id}
        if len(found) == 2:
            self.assertEqual(self.boris.balance(task.assigned_to).balance_cents, sum(transfer.delta_cents for transfer in transfers))
        return found if len(found) == 2 else {}

    def test_refusals(self):
        task = self.create('Somebody else must do it')
        other = self.client_of(self.boris_id if task.assigned_to == self.ara_id else self.ara_id)
        self.refused('PERMISSION_DENIED', 'NOT_ASSIGNEE', None, other.complete_task, task.id)
        self.refused('NOT_FOUND', 'TASK_UNKNOWN', None, self.ara.complete_task, 999999)
        self.refused('INVALID_ARGUMENT', 'FIELD_INVALID', 'name', self.ara.create_task, '')
        self.refused('INVALID_ARGUMENT', 'FIELD_UNKNOWN', 'nome', self.ara.call, 'tasks.create_task', {'nome': 'a'})
        self.refused('PERMISSION_DENIED', 'ROLE_NOT_ALLOWED', None, self.ara.call, 'tasks.reassign_tasks')
        self.refused('UNIMPLEMENTED', 'COMMAND_UNKNOWN', None, self.ara.call, 'tasks.sing')
        with Client(self.daemon.run, timeout_s=PATIENCE_S) as nobody:
            self.refused('UNAUTHENTICATED', 'TOKEN_MISSING', None, nobody.create_task, 'a')
            self.refused('UNAUTHENTICATED', 'BAD_CREDENTIALS', None, nobody.sign_in, 'ara', 'abacus-orbit-7')
            nobody.token = 'v4.public.none'
            nobody.token_expires_at = 1 << 52
            self.refused('UNAUTHENTICATED', 'TOKEN_INVALID', None, nobody.balance)

    def test_a_repeated_request_id_has_one_effect(self):
        body = {'name': 'Once', 'description': ''}
        first = self.admin.call('tasks.create_task', body, 'once-1')
        again = self.admin.call('tasks.create_task', body, 'once-1')
        self.assertEqual((first.replayed, again.replayed), (False, True))
        self.assertEqual((again.result, again.request_id), (first.result, 'once-1'))
        self.refused('FAILED_PRECONDITION', 'REQUEST_ID_REUSED', None, self.admin.call, 'tasks.create_task',
                     {'name': 'Twice', 'description': ''}, 'once-1')
        names = [task['name'] for task in self.admin.items('tasks.show_all_assigned_tasks', limit=1)]
        self.assertEqual((names.count('Once'), names.count('Twice')), (1, 0))

    def test_a_token_is_renewed_before_its_time_and_after(self):
        with self.daemon.client() as client:
            first = client.token
            client.token_expires_at = 0
            client.balance(self.ara_id)
            self.assertNotEqual(client.token, first)
            self.assertGreater(client.token_expires_at, 0)
        kea_id = self.admin.register_user('kea', 'kea@uberpopug.example', STRANGER[2], 'manager')
        with self.daemon.client('kea', STRANGER[2]) as kea:
            self.admin.call('auth.revoke_sessions', {'user_id': kea_id})
            self.refused('UNAUTHENTICATED', 'TOKEN_REVOKED', None, until, lambda: kea.balance() is None, 'the end of the session')

    def test_silence_is_no_failure(self):
        with Client(os.path.join(self.daemon.folder, 'nowhere'), timeout_s=0.3) as lost:
            with self.assertRaises(NoReply) as caught:
                lost.call('tasks.health', request_id='asked-1')
            self.assertEqual(caught.exception.request_id, 'asked-1')

    def test_a_refusal_of_a_second_send_may_say_nothing_of_the_first(self):
        producer = FakeProducer(self.daemon.folder, 0, 0)
        self.addCleanup(producer.close)
        with Client(endpoints={'tasks': producer.endpoint}) as client:
            with self.assertRaises(NoReply) as caught:
                client.complete_task(1, request_id='done-1')
            self.assertEqual(caught.exception.request_id, 'done-1')
            self.refused('FAILED_PRECONDITION', 'ALREADY_FINISHED', None, client.complete_task, 2)
            self.refused('UNAUTHENTICATED', 'BAD_CREDENTIALS', None, client.complete_task, 3)
        self.assertEqual([body['task_id'] for _, body in producer.asked], [1, 1, 2, 2, 3, 3])

    def test_a_cursor_that_does_not_fit_stops_the_follower(self):
        self.create('Something to follow')
        follower = Follower(self.admin, 'tasks', Cursor())
        for _ in follower.catch_up():
            pass
        good = follower.cursor
        for bad in (Cursor('01890a5d-ac96-774b-bcce-b302099a8057', good.seq, good.hash), Cursor(good.log_id, good.seq + 1, good.hash),
                    Cursor(good.log_id, good.seq - 1, bytes(31) + b'\1')):
            with self.assertRaises(Broken):
                for _ in Follower(self.admin, 'tasks', bad).catch_up():
                    self.fail('it was taken')
        path = os.path.join(self.daemon.folder, 'bad-cursor')
        Cursor('01890a5d-ac96-774b-bcce-b302099a8057', 1, bytes(32)).save(path)
        program = self.daemon.program('follow.py', '--producer', 'tasks', '--cursor', path, '--once', stderr=subprocess.PIPE)
        out, said = program.communicate(timeout=PATIENCE_S)
        self.assertEqual((program.returncode, out), (3, ''))
        self.assertIn('another log_id', said)

    def test_payroll(self):
        task = self.create('Well paid')
        while task.assigned_to != self.ara_id:
            task = self.create('Well paid')
        self.ara.complete_task(task.id)
        until(lambda: self.fees_and_rewards(task), 'the reward')
        paid = self.boris.call('accounting.pay_to_workers').result
        date = paid['business_date']
        expected = list(self.boris.transfers(kind='payout'))
        path = self.daemon.write('boris-password', 'abacus-orbit-7\n')
        program = self.daemon.program('payroll.py', '--login', 'boris', '--password-file', path, '--from-date', date, '--to-date', date)
        out, _ = program.communicate(timeout=PATIENCE_S)
        self.assertEqual(program.returncode, 0)
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(len(rows), paid['paid_count'])
        self.assertEqual([(int(row['user_id']), round(float(row['paid']) * 100)) for row in rows],
                         [(transfer.user_id, -transfer.delta_cents) for transfer in expected])
        self.assertEqual(sum(round(float(row['paid']) * 100) for row in rows), paid['total_cents'])
        self.assertLessEqual({row['login'] for row in rows}, {'ara', 'boris'})
        program = self.daemon.program('payroll.py', '--login', 'boris', '--password-file', path, '--from-date', '2001-01-01',
                                      '--to-date', '2001-12-31')
        self.assertEqual(program.communicate(timeout=PATIENCE_S)[0], 'business_date,user_id,login,paid\n')


def created_hash(client: Client, first: int, last: int) -> bytes:
    """The hash before event last, by another follower that begins anew."""
    follower = Follower(client, 'tasks', Cursor())
    for event in follower.catch_up():
        if event.seq == last - 1:
            break
    assert first < last
    return follower.cursor.hash


class Restarts(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.close)
        self.daemon.start('broker', 'auth', 'tasks')

    def test_a_command_during_a_restart_has_one_effect(self):
        with self.daemon.client() as admin:
            admin.register_user(*STRANGER)
            create(admin, 'Before')
            self.daemon.kill('tasks')
            made = []
            caller = threading.Thread(target=lambda: made.append(self.call_meanwhile()))
            caller.start()
            self.daemon.start('tasks')
            caller.join(PATIENCE_S)
            again = admin.call('tasks.create_task', {'name': 'Meanwhile', 'description': ''}, 'meanwhile-1')
            self.assertTrue(again.replayed)
            self.assertEqual(again.result, made[0].result)
            names = [task['name'] for task in admin.items('tasks.show_all_assigned_tasks')]
            self.assertEqual(names, ['Before', 'Meanwhile'])

    def call_meanwhile(self):
        with self.daemon.client() as admin:
            return admin.call('tasks.create_task', {'name': 'Meanwhile', 'description': ''}, 'meanwhile-1')

    def test_what_was_compacted_is_told_from_what_is_broken(self):
        producer = FakeProducer(self.daemon.folder, 3, 4)
        self.addCleanup(producer.close)
        options = ('--endpoint', f'tasks={producer.endpoint}', '--producer', 'tasks', '--once', '--cursor')
        path = os.path.join(self.daemon.folder, 'cursor')
        program = self.daemon.program('follow.py', *options, path, stderr=subprocess.PIPE)
        out, said = program.communicate(timeout=PATIENCE_S)
        self.assertEqual((program.returncode, out), (4, ''))
        self.assertIn('--snapshot', said)
        program = self.daemon.program('follow.py', *options, path, '--snapshot')
        lines = [json.loads(line) for line in program.communicate(timeout=PATIENCE_S)[0].splitlines()]
        self.assertEqual(program.returncode, 0)
        # The snapshot up to 3 became one up to 4 after its first page: that was thrown away.
        self.assertEqual([line['data'] for line in lines[:2]], [{'id': 4, 'page': 1}, {'id': 4, 'page': 2}])
        self.assertEqual([line['seq'] for line in lines[2:]], [5, 6])
        self.assertEqual(Cursor.load(path).hash.hex(), lines[-1]['hash'])
        self.assertEqual(producer.asked[-1], ('tasks.read_events', {'after_seq': 4, 'limit': 1000}))
        # Whoever took some events already must not go on with a snapshot.
        with self.daemon.client() as admin, Client(endpoints={'tasks': producer.endpoint, 'events': producer.endpoint}) as client:
            client.token, client.token_expires_at = admin.token, admin.token_expires_at
            kept = Cursor(LOG_ID, 2, bytes(32))
            with self.assertRaises(Compacted):
                next(Follower(client, 'tasks', kept).catch_up())
            with self.assertRaises(Compacted):
                Follower(client, 'tasks', kept).snapshot()


if __name__ == '__main__':
    print(f'libzmq {zmq.zmq_version()}, pyzmq {zmq.pyzmq_version()}', flush=True)
    unittest.main(verbosity=2)
