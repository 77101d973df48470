"""Makes ates.conf of the settings in README.md: conf.py README OUTPUT. Every default is there, behind "#"."""
import re
import sys

readme, output = sys.argv[1:]
block = re.search(r"^```\n(data = .*?)^```$", open(readme, encoding="utf-8").read(), re.MULTILINE | re.DOTALL)
lines = [re.sub(r"^( *)([a-z_]+ =)", r"\1#\2", line) for line in block[1].splitlines()]
with open(output, "w", encoding="utf-8") as out:
    out.write("# Settings of aTES. What is behind # without a blank is the default; take the # away to change it.\n"
              "# Sections stay as they stand, and what is in them is indented by four spaces.\n")
    out.write("\n".join(lines) + "\n")
