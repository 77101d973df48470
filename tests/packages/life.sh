# The lives of the units on a booted machine: each starts alone and in any order, is killed, restarts and stops, and
# no command that was sent meanwhile stays without its reply. To be sourced by packages.sh.

main_pid() {
    machine_run systemctl show -P MainPID "$1"
}

# How many replies have come.
replies() {
    wc -l <"$folder/replies"
}

has_replies() {
    [ "$(replies)" -ge "$1" ]
}

# begin_calls SERVICE COMMAND: calls it from now on, one call after the other.
begin_calls() {
    : >"$folder/replies"
    machine_as ann steady /run/ates admin "$1" "$2" <<<"$password" >"$folder/replies" 2>"$folder/calls.log" &
    calls=$!
    until_true 30 has_replies 1 || {
        cat "$folder/calls.log"
        return 1
    }
}

# Waits for another reply, so that what was done before lies between two, and ends the calls. Each had its reply.
end_calls() {
    local code=0 caller
    until_true 60 has_replies $(($(replies) + 2)) || {
        cat "$folder/calls.log"
        return 1
    }
    caller=$(machine_run pgrep -x steady)
    machine_run kill -TERM "$caller"
    wait "$calls" || code=$?
    cat "$folder/calls.log"
    return "$code"
}

# A command of each service that answers others than itself; web and the broker have none.
declare -A command_of=([auth]=show_all_users [tasks]=create_task [accounting]=show_balance
    [analytics]=negative_balances [payment]=show_schedule)

was_restarted() {
    [ "$(main_pid "$1")" != "$2" ] && machine_run systemctl is-active "$1"
}

# Whether web answers, over HTTP inside of the machine.
web_answers() {
    machine_run bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080 && printf "GET /healthz HTTP/1.0\r\n\r\n" >&3 && head -n 1 <&3 | grep -q 200'
}

# The newest task is known to accounting, whose fees grew: its event came, through the broker or from the log.
income_follows() {
    [ "$(machine_as ann atesctl account income -o csv)" != "$1" ]
}

answers() {
    case $1 in
    web) until_true 30 web_answers ;;
    broker)
        local before
        before=$(machine_as ann atesctl account income -o csv)
        machine_as ann atesctl task add 'Count the feathers'
        until_true 30 income_follows "$before"
        ;;
    *) until_true 30 machine_as ann atesctl --timeout 2 call "$1.health" ;;
    esac
}

# Killed, it is there again by itself; commands wait for it.
live_through_kill() {
    local unit=ates@$1 pid
    pid=$(main_pid "$unit")
    [ -z "${command_of[$1]-}" ] || begin_calls "$1" "${command_of[$1]}"
    machine_run systemctl kill --signal=KILL "$unit"
    until_true 30 was_restarted "$unit" "$pid"
    [ -z "${command_of[$1]-}" ] || end_calls
    answers "$1"
}

# Stopped, it has ended by itself with 0; commands wait until it is started again, and so once more by restart.
live_through_stop() {
    local unit=ates@$1
    [ -z "${command_of[$1]-}" ] || begin_calls "$1" "${command_of[$1]}"
    machine_run systemctl stop "$unit"
    [ "$(machine_run systemctl show -P Result -P ExecMainCode -P ExecMainStatus "$unit" | paste -sd' ')" = "success 1 0" ]
    machine_run systemctl start "$unit"
    machine_run systemctl restart "$unit"
    [ -z "${command_of[$1]-}" ] || end_calls
    answers "$1"
}

# Every task for which there was a reply is there, once. begin_calls has told their number.
create_once() {
    local before created
    before=$(machine_as ann atesctl task ls -o csv | wc -l)
    begin_calls tasks create_task
    machine_run systemctl kill --signal=KILL ates@tasks
    until_true 30 has_replies $(($(replies) + 20))
    machine_run systemctl restart ates@tasks
    end_calls
    created=$(($(machine_as ann atesctl task ls -o csv | wc -l) - before))
    [ "$created" -eq "$(replies)" ] || {
        echo "$(replies) replies, $created tasks"
        return 1
    }
}

# One service alone on the machine, with all the others stopped.
start_alone() {
    machine_run systemctl stop 'ates@*'
    machine_run systemctl start "ates@$1"
    [ "$(machine_run systemctl list-units 'ates@*' --state=active --no-legend | wc -l)" -eq 1 ]
    [ "$1" = broker ] || answers "$1"
}

shuffled() {
    local name
    for name in "${services[@]}"; do
        echo "$RANDOM $name"
    done | sort -n | cut -d' ' -f2
}

start_in_any_order() {
    local name
    machine_run systemctl stop 'ates@*'
    for name in $(shuffled); do
        machine_run systemctl start "ates@$name"
    done
    for name in "${services[@]}"; do
        answers "$name"
    done
}

# A loop that stands still is noticed: the process is ended and started again.
watchdog_bites() {
    local pid
    machine_run mkdir -p /run/systemd/system/ates@analytics.service.d
    machine_run sh -c 'printf "[Service]\nWatchdogSec=3s\n" >/run/systemd/system/ates@analytics.service.d/watchdog.conf'
    machine_run systemctl daemon-reload
    machine_run systemctl restart ates@analytics
    pid=$(main_pid ates@analytics)
    begin_calls tasks create_task
    until_true 30 has_replies 200
    end_calls
    [ "$(main_pid ates@analytics)" = "$pid" ] # which went round all the while
    machine_run kill -STOP "$pid"
    until_true 60 was_restarted ates@analytics "$pid"
    says 'Watchdog timeout' machine_run journalctl -u ates@analytics
    machine_run rm -r /run/systemd/system/ates@analytics.service.d
    machine_run systemctl daemon-reload
    machine_run systemctl restart ates@analytics
}

# What somebody must mend is tried once.
gives_up_on_settings() {
    machine_run sh -c 'echo "nonsense = 1" >>/etc/ates/ates.conf'
    machine_run systemctl stop ates@payment
    refused machine_run systemctl start ates@payment
    [ "$(machine_run systemctl show -P NRestarts -P ExecMainStatus -P ActiveState ates@payment | paste -sd' ')" = "0 2 failed" ]
    says 'nonsense: no such setting' machine_run journalctl ATES_SERVICE=payment -o cat -n 1
    machine_run sed -i '/^nonsense/d' /etc/ates/ates.conf
    machine_run systemctl start ates@payment
}

# Each sees its own keys and its own folder, and no other's; nor may one user's service look into another.
check_separation() {
    local name pid keys
    for name in "${services[@]}"; do
        case $name in
        broker) keys= ;;
        web) keys=services.key ;;
        auth) keys='auth.key fingerprint.key keyring services.key' ;;
        *) keys='fingerprint.key keyring services.key' ;;
        esac
        pid=$(main_pid "ates@$name")
        [ "$(machine_run nsenter -t "$pid" -m ls "/run/credentials/ates@$name.service" 2>/dev/null | paste -sd' ')" = "$keys" ]
        [ -z "$(machine_run nsenter -t "$pid" -m ls /etc/ates/keys)" ]
        [ "$(machine_run nsenter -t "$pid" -m ls /var/lib/ates | paste -sd' ')" = "$(printf '%s\n' "$name" version | sort | paste -sd' ')" ]
        [ "$name" = auth ] || refused machine_run nsenter -t "$pid" -m ls /run/credentials/ates@auth.service
    done
}

# From within web, as its user: its own process may be looked into, and auth's, of the same user, may not.
check_same_user() {
    local web auth user
    web=$(main_pid ates@web)
    auth=$(main_pid ates@auth)
    user=$(machine_run id -u ates)
    machine_run nsenter -t "$web" -U -m -S "$user" -G "$(machine_run id -g ates)" sh -c \
        "test -r /proc/$web/maps && cat /proc/$web/environ >/dev/null && ! cat /proc/$auth/environ"
}

# Fields to look for, ids that are explained.
check_journal() {
    local id
    id=$(machine_run journalctl ATES_SERVICE=tasks -o json | sed -n '/"MESSAGE":"serving/s/.*"MESSAGE_ID":"\([0-9a-f]*\)".*/\1/p' |
        sort -u)
    says 'has its state up to event [0-9]+ of its' machine_run journalctl "MESSAGE_ID=$id" -x -n 1
    says '"ATES_SEQ":"[0-9]+"' machine_run journalctl ATES_SERVICE=tasks "MESSAGE_ID=$id" -o json -n 1
}

# log_in LOGIN: as ann's session from now on.
log_in() {
    machine_as ann sh -c "echo '$password' | atesctl login $1 --password-file -"
}

# A mail server on the machine, which takes everything into /root/mails.
start_mail_server() {
    cp "$source/tests/support/smtp_server.py" "$folder/root/root/"
    machine_run mkdir -p /root/mails
    machine_run systemd-run --unit=mail-server sh -c \
        'sleep infinity | python3 /root/smtp_server.py /root/mails >/root/mail-server.said'
    until_true 30 machine_run grep -q READY /root/mail-server.said
    machine_run sh -c "sed -i \"s,^    # url = .*,    url = smtp://localhost:\$(cut -d' ' -f2 /root/mail-server.said),\" /etc/ates/ates.conf"
    machine_run systemctl restart ates@accounting
}

has_task() {
    machine_as ann atesctl task add 'Polish the perch'
    [ "$(machine_as ann atesctl task ls --assigned-to ara --status open -o csv | wc -l)" -gt 1 ]
}

# Somebody earns something; a day is paid; its mail gets out of accounting's confinement by SMTP.
check_payday() {
    local task
    start_mail_server
    machine_as ann sh -c "echo '$password' | atesctl user add ara --email ara@uberpopug.example --role developer --password-file -"
    until_true 60 has_task
    task=$(machine_as ann atesctl task ls --assigned-to ara --status open -o csv | sed -n '2s/,.*//p')
    log_in ara
    machine_as ann atesctl task done "$task"
    until_true 30 earned
    log_in boris
    machine_as ann atesctl account pay --yes
    says 'is closed and paid' machine_run journalctl ATES_SERVICE=accounting ATES_COMMAND=pay_to_workers
    until_true 30 machine_run grep -rq ara@uberpopug.example /root/mails --include='*.eml'
    log_in admin
}

earned() {
    says '^[0-9]+,[1-9]' machine_as ann atesctl account balance -o csv
}

check_lives() {
    local name
    verdict "each service sees its own keys and data alone" check_separation
    verdict "a service does not look into another's process" check_same_user
    for name in "${services[@]}"; do
        verdict "$name is killed, restarts, and no reply is lost" live_through_kill "$name"
        verdict "$name stops, starts, restarts, and no reply is lost" live_through_stop "$name"
    done
    verdict "tasks killed and restarted: as many tasks as replies" create_once
    for name in "${services[@]}"; do
        verdict "$name starts alone" start_alone "$name"
    done
    verdict "services start in any order" start_in_any_order
    verdict "a loop that stands still is ended by the watchdog" watchdog_bites
    verdict "a wrong setting is told, and not tried again" gives_up_on_settings
    verdict "the journal has fields and explanations" check_journal
    verdict "a date is closed and paid, and a mail is sent" check_payday
}
