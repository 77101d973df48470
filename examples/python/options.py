"""What the programs here have in common: where the services are, and who asks."""
import argparse
import os
import sys

from ates import Client, Curve


def parser(words: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=words)
    made.add_argument('--run', default=os.environ.get('ATES_RUN', '/run/ates'), help='the folder of the sockets')
    made.add_argument('--login', required=True)
    made.add_argument('--password-file', required=True, help='its first line is the password; - is the input')
    made.add_argument('--endpoint', action='append', default=[], metavar='NAME=tcp://HOST:PORT',
                      help='of a service, or of events, instead of the socket below --run')
    made.add_argument('--server-key', metavar='FILE', help="the server's public certificate, for TCP")
    made.add_argument('--own-key', metavar='FILE', help='your own certificate, the secret key in it')
    return made


def signed_in(arguments: argparse.Namespace) -> Client:
    curve = Curve.from_files(arguments.server_key, arguments.own_key) if arguments.server_key else None
    client = Client(arguments.run, dict(pair.split('=', 1) for pair in arguments.endpoint), curve)
    if arguments.password_file == '-':
        password = sys.stdin.readline().rstrip('\n')
    else:
        with open(arguments.password_file, encoding='utf-8') as file:
            password = file.readline().rstrip('\n')
    client.sign_in(arguments.login, password)
    return client
