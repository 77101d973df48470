"""Prints atesd(8) for scdoc: atesd.py ATESD PAGE. The synopsis and the options are those of atesd --help."""
import re
import subprocess
import sys


def escape(text):
    return re.sub(r"([_*\\`<>\[\]#~])", r"\\\1", text)


def main(atesd, page):
    usage, *rest = subprocess.run([atesd, "--help"], capture_output=True, text=True, check=True).stdout.splitlines()
    program, what, more = re.fullmatch(r"usage: (\w+) (\S+) (.*)", usage).groups()
    options = []
    for line in rest:
        if line:
            option, words = re.fullmatch(r" +(-.*?)  +(\S.*)", line).groups()
            options.append(f"*{escape(option)}*\n\t{escape(words)}\n")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    sys.stdout.write(text.replace("@SYNOPSIS@", f"*{program}* {escape(what)} {escape(more)}")
                     .replace("@OPTIONS@", "\n".join(options)))


main(*sys.argv[1:])
