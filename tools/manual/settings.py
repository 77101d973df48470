"""What is made of the settings in README.md, the one place that tells of them all.

  settings.py conf README   prints ates.conf: every default is there, behind "#"
  settings.py man README    prints its man page, ates.conf(5), for scdoc
"""
import re
import sys

CONF_HEAD = """\
# Settings of aTES; man ates.conf tells of them. What is behind # without a blank is the default; take the # away to change it.
# Sections stay as they stand, and what is in them is indented by four spaces.
"""
MAN_HEAD = r"""ates.conf(5) "" "aTES"

# NAME

ates.conf - the settings of aTES

# SYNOPSIS

/etc/ates/ates.conf

# DESCRIPTION

The services and _atesctl_(1) read it when they start; after a change: _sudo systemctl restart ates.target_. Without it, and for each setting that it does not name, the default counts. A mistake is refused at start with the file and the line, and an unknown setting is one.

It is in ZPL, of ZeroMQ's RFC 4: a setting a line, as _name = value_. Settings of a section stand below its name, indented by four spaces. A # begins a comment. Values that hold a # or blanks at an end stand in quotes.

A variable of the environment counts more than the file, and an option more than both. The variable has the setting's name in capitals behind *ATES\_*, with \_ for /: *ATES\_SMTP\_URL* is _smtp/url_. The variable *ATES\_CONFIG* names another file to read in the place of this one.

_atesctl admin config_ shows the settings in effect and what set each; _atesctl admin config check FILE_ looks at a file before it is put in place.

# SETTINGS

_section/name = default_, or an example where there is no default.
"""
MAN_TAIL = r"""
# EXAMPLE

```
time_zone = Europe/Berlin
smtp
    url = smtp://mail.example.org:587
    from = ates@example.org
web
    origin = https://ates.example.org
```

# SEE ALSO

*atesd*(8), *atesctl*(1)
"""


def block(readme):
    with open(readme, encoding="utf-8") as file:
        return re.search(r"^```\n(data = .*?)^```$", file.read(), re.MULTILINE | re.DOTALL)[1]


def conf(text):
    return CONF_HEAD + re.sub(r"^( *)([a-z_]+ =)", r"\1#\2", text, flags=re.MULTILINE)


def escape(text):
    return re.sub(r"([_*\\`<>\[\]#~])", r"\\\1", text)


def groups(text):
    """Settings that share a comment: (comment, [(section/name, value, whether it is a default)])."""
    section, comment, settings = "", [], []
    for line in text.splitlines():
        prefix = section if line.startswith("    ") else ""
        example = re.match(r" *# ([a-z_]+) = (.*)$", line)
        default = re.match(r" *([a-z_]+) = (.*)$", line)
        found = default or example
        if settings and (not found or settings[-1][2] != bool(default) or not settings[-1][0].startswith(prefix)):
            yield " ".join(comment), settings
            comment, settings = [], []
        if found:
            settings.append((prefix + found[1], found[2], bool(default)))
        elif line.lstrip().startswith("#"):
            comment.append(line.lstrip(" #"))
        else:
            section = line + "/"
    yield " ".join(comment), settings


def man(text):
    out = [MAN_HEAD]
    for comment, settings in groups(text):
        shown = [f"*{escape(name)}* {'=' if is_default else 'as'} {escape(value)}" for name, value, is_default in settings]
        out.append("++\n".join(shown) + ("\n\t" + escape(comment) if comment else "") + "\n")
    return "\n".join(out) + MAN_TAIL


sys.stdout.write({"conf": conf, "man": man}[sys.argv[1]](block(sys.argv[2])))
