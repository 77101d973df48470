#!/usr/bin/env python3
"""A producer's events, a line of JSON each, without a gap from where the cursor file ends. The user is an administrator."""
import json
import sys

from ates import Broken, Compacted, Cursor, Follower, NoReply, Refused
from options import parser, signed_in


def main() -> int:
    options = parser(__doc__)
    options.add_argument('--producer', required=True, help='auth, tasks, accounting, analytics or payment')
    options.add_argument('--cursor', required=True, metavar='FILE', help='where to go on, and what was printed last')
    options.add_argument('--snapshot', action='store_true', help='begin with what stands for events that are no more')
    options.add_argument('--once', action='store_true', help='end where the log ends now')
    arguments = options.parse_args()
    try:
        with signed_in(arguments) as client:
            follower = Follower(client, arguments.producer, Cursor.load(arguments.cursor))
            if arguments.snapshot:
                for item in follower.snapshot():
                    print(json.dumps({'item': f'{arguments.producer}.{item["event_name"]}.v{item["event_version"]}',
                                      'data': item['data']}))
                follower.cursor.save(arguments.cursor)
            for event in follower.catch_up() if arguments.once else follower.follow():
                print(json.dumps({'seq': event.seq, 'topic': event.topic, 'time': event.event_time, 'data': event.data,
                                  'hash': follower.cursor.hash.hex()}), flush=True)
                follower.cursor.save(arguments.cursor)
    except Broken as broken:
        print(f'follow: {broken}; nothing was skipped: ask who runs the service', file=sys.stderr)
        return 3
    except Compacted as compacted:
        print(f'follow: {compacted}; try: --snapshot with a new cursor file', file=sys.stderr)
        return 4
    except (Refused, NoReply) as error:
        print(f'follow: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == '__main__':
    sys.exit(main())
