# A Debian machine to try packages on: a root made by debootstrap, booted with systemd as its first process in a
# container of systemd-nspawn, without a network. To be sourced; needs root. The caller has set $folder, which is its
# own, and calls machine_stop at its end.
#
# systemd --user would not do: what matters here - users, credentials, namespaces, system call filters, packages -
# belongs to the system's manager.

# What machine_make needs and does not find, or nothing.
machine_lacks() {
    local name
    [ "$(id -u)" -eq 0 ] || echo "it has to be run as root"
    for name in debootstrap systemd-nspawn nsenter; do
        command -v "$name" >/dev/null || echo "$name is not installed"
    done
    grep -q '^cgroup2 \|[^ ]* [^ ]* cgroup2 ' /proc/mounts || echo "there is no cgroup2"
}

# machine_make PACKAGE...: makes $folder/root with these Debian packages. Made by debootstrap once and kept.
machine_make() {
    local cache names base made
    names=$(printf '%s\n' systemd systemd-sysv dbus procps "$@" | sort -u | paste -sd,)
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/ates
    base=$cache/machine-$(sha256sum <<<"$names" | cut -c 1-16).tar
    if [ ! -f "$base" ]; then
        made=$folder/made
        mkdir -p "$cache"
        debootstrap --variant=minbase --include="$names" bookworm "$made" >"$folder/debootstrap.log" 2>&1 || {
            tail -n 5 "$folder/debootstrap.log"
            return 1
        }
        tar -C "$made" -cf "$base.$$" . && mv "$base.$$" "$base"
        rm -rf --one-file-system "$made"
    fi
    mkdir -p "$folder/root"
    tar -C "$folder/root" -xf "$base"
    # Nothing of the machine below: no clocks to set, no terminals to wait on.
    ln -sf /dev/null "$folder/root/etc/systemd/system/console-getty.service"
    rm -f "$folder/root/etc/machine-id"
    echo ates-test >"$folder/root/etc/hostname"
}

# Boots it, and returns once systemd says that it runs.
machine_boot() {
    local tries state
    systemd-nspawn --quiet --register=no --keep-unit --private-network --console=pipe --boot \
        --directory="$folder/root" </dev/null >"$folder/console" 2>&1 &
    machine=$!
    for ((tries = 0; tries < 600; tries++)); do
        init=$(pgrep -P "$machine" | head -n 1) || init=
        if [ -n "$init" ] && [ -S "$folder/root/run/systemd/private" -o -S "/proc/$init/root/run/systemd/private" ]; then
            break
        fi
        kill -0 "$machine" 2>/dev/null || {
            tail -n 5 "$folder/console"
            return 1
        }
        sleep 0.1 # before the next look
    done
    state=$(machine_run systemctl is-system-running --wait) || true
    [ "$state" = running ] || [ "$state" = degraded ] || {
        echo "the machine is $state"
        return 1
    }
}

# machine_run COMMAND...: runs it there as root.
machine_run() {
    nsenter --target "$init" --all -- env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# machine_as USER COMMAND...: the same as this user.
machine_as() {
    local user=$1
    shift
    machine_run runuser -u "$user" -- env HOME="/home/$user" "$@"
}

machine_stop() {
    if [ -n "${machine-}" ]; then
        kill -KILL "${init:-$machine}" 2>/dev/null || true
        wait "$machine" 2>/dev/null || true
        machine=
    fi
}
