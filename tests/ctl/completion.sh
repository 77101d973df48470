#!/usr/bin/env bash
# The completions, in the shells themselves. Where one is not installed, its check is skipped, and says so.
set -euo pipefail
folder=$(mktemp -d "${TMPDIR:-/tmp}/ates-completion-XXXXXX")
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/config"
ln -s "$ATESCTL" "$folder/bin/atesctl"
export PATH=$folder/bin:$PATH HOME=$folder XDG_CONFIG_HOME=$folder/config XDG_STATE_HOME=$folder/state
export XDG_DATA_HOME=$folder/data TERM=dumb
cd "$folder"
touch notes.csv
mkdir pictures
atesctl context add books --run /run/books 2>/dev/null
number=0

# expect NAME WANTED GOT: both lists of words, in any order.
expect() {
    number=$((number + 1))
    local wanted got
    wanted=$(tr ' ' '\n' <<<"$2" | sed '/^$/d' | sort)
    got=$(tr ' ' '\n' <<<"$3" | sed '/^$/d' | sort)
    if [ "$wanted" = "$got" ]; then
        echo "ok $number - $1"
    else
        echo "# wanted: $wanted" | tr '\n' ' '
        echo
        echo "# got: $got" | tr '\n' ' '
        echo
        echo "not ok $number - $1"
    fi
}

skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $1 is not installed"
}

# Each prints the words that its shell offers for the line's last one.
bash_words() {
    bash --norc --noprofile -c '
        source <(atesctl completion bash)
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _atesctl
        echo "${COMPREPLY[*]}"' bash "$@"
}

fish_words() {
    fish --no-config -c 'atesctl completion fish | source; complete -C "$argv"' -- "$*" | cut -f1 | tr '\n' ' '
}

# Zsh completes on a terminal only: one is made, and what it would offer is caught before it is shown. What is typed before
# its editor has the terminal is the kernel's, whose Ctrl-U takes the TAB away.
zsh_words() {
    LINE="$*" zsh -f -c '
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "PS1= ; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D"
        zpty -w shell "source <(atesctl completion zsh)"
        zpty -w shell "_describe() { local -a all; eval \"all=(\\\"\\\${\$2[@]}\\\")\"; print -rl -- \${all%%:*} >> words; compadd -Q x y; }"
        zpty -w shell "_files() { print -r -- files\"\$*\" >> words; compadd -Q x y }"
        zpty -w shell "bindkey \"^I\" complete-word; zle-line-init() { print rea\"\"dy }; zle -N zle-line-init"
        zpty -r -m shell line "*ready*"
        zpty -n -w shell "$LINE"$'"'\\t'"'
        zpty -n -w shell $'"'\\x15'"'
        zpty -w shell "print do""ne"
        zpty -r -m shell line "*done*"
        zpty -d shell' >/dev/null 2>&1 || true
    tr '\n' ' ' <words 2>/dev/null || true
    rm -f words
}

check_words() {
    local words=$1
    expect "${words%_words}: groups" "task " "$($words atesctl ta)"
    expect "${words%_words}: commands" "ls log" "$($words atesctl task l)"
    expect "${words%_words}: options" "--status" "$($words atesctl task ls --st)"
    expect "${words%_words}: values" "finished" "$($words atesctl task ls --status f)"
    expect "${words%_words}: contexts" "books" "$($words atesctl context use b)"
    expect "${words%_words}: a service's commands" "tasks.show_task tasks.show_task_log" "$($words atesctl call tasks.show_t)"
    expect "${words%_words}: reasons" "NOT_ASSIGNEE" "$($words atesctl errors NOT_A)"
}

expect "what is asked for: contexts" "books" "$(atesctl __complete --context '')"
expect "what is asked for: a value behind =" "--output=ndjson" "$(atesctl __complete --output=nd)"
expect "what is asked for: a value in words of bash" "ndjson" "$(atesctl __complete --output = nd)"
expect "what is asked for: fields" "name=" "$(atesctl __complete call tasks.create_task n | cut -f1)"
expect "what is asked for: nothing behind --" "" "$(atesctl __complete task show -- --)"
expect "what is asked for: no hidden command" "" "$(atesctl __complete __)"
check_words bash_words
expect "bash: files" "notes.csv" "$(bash_words atesctl task import no)"
expect "bash: folders" "pictures" "$(bash_words atesctl admin init --data pi)"
expect "bash: a value behind =" "ndjson" "$(bash_words atesctl --output = nd)"
if command -v fish >/dev/null; then
    check_words fish_words
    expect "fish: files" "notes.csv" "$(fish_words atesctl task import no)"
else
    skip fish
fi
if command -v zsh >/dev/null; then
    expect "zsh: commands" "ls log" "$(zsh_words atesctl task l)"
    expect "zsh: values" "finished" "$(zsh_words atesctl task ls --status f)"
    expect "zsh: folders" "files-/" "$(zsh_words atesctl admin init --data pi | tr -d ' ')"
else
    skip zsh
fi
echo "1..$number"
