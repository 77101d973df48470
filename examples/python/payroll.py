#!/usr/bin/env python3
"""What was paid out for a period of business dates, as CSV on the output. The user is an accountant."""
import csv
import datetime
import sys

from ates import NoReply, Refused
from options import parser, signed_in

HOUR_MS = 3600 * 1000


def start_of(date: str) -> int:
    """Unix ms before which the business date had begun in no time zone."""
    midnight = datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.timezone.utc)
    return int(midnight.timestamp() * 1000) - 14 * HOUR_MS


def main() -> int:
    options = parser(__doc__)
    options.add_argument('--from-date', required=True, metavar='YYYY-MM-DD')
    options.add_argument('--to-date', required=True, metavar='YYYY-MM-DD', help='inclusive')
    arguments = options.parse_args()
    try:
        with signed_in(arguments) as client:
            payouts = [transfer for transfer in client.transfers(kind='payout', **{'from': start_of(arguments.from_date)})
                       if arguments.from_date <= transfer.business_date <= arguments.to_date]
            logins = client.logins(sorted({payout.user_id for payout in payouts}))
    except Refused as refusal:
        sys.exit(f'payroll: {refusal}')
    except NoReply as silence:
        sys.exit(f'payroll: {silence}; try: is aTES running there, as --run says?')
    table = csv.writer(sys.stdout, lineterminator='\n')
    table.writerow(['business_date', 'user_id', 'login', 'paid'])
    for payout in payouts:
        cents = -payout.delta_cents  # out of the employee's account
        table.writerow([payout.business_date, payout.user_id, logins[payout.user_id], f'{cents // 100}.{cents % 100:02}'])
    return 0


if __name__ == '__main__':
    sys.exit(main())
