"""A grammar in ABNF (RFC 5234, and RFC 7405's %s) as a regular expression of Python. Invariant: what is not of that form,
is defined twice, not at all, or in a circle raises GrammarError; symbols may lie beyond octets."""
import re

CORE = {"ALPHA": "[A-Za-z]", "DIGIT": "[0-9]", "OCTET": "[\\x00-\\xff]", "CHAR": "[\\x01-\\x7f]"}
TOKEN = re.compile(r"""\s*(?:
    (?P<comment>;[^\n]*) | (?P<define>=/?) | (?P<name>[A-Za-z][A-Za-z0-9-]*) | (?P<repeat>[0-9]*\*[0-9]*|[0-9]+) |
    (?P<text>(?:%[si])?"[^"]*") | (?P<number>%x[0-9A-Fa-f]+(?:-[0-9A-Fa-f]+|(?:\.[0-9A-Fa-f]+)*)) | (?P<mark>[/()\[\]])
)""", re.VERBOSE)


class GrammarError(Exception):
    pass


def tokens_of(text):
    at, tokens = 0, []
    text = text.rstrip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise GrammarError(f"not ABNF: {text[at:at + 40]!r}")
        at = found.end()
        if found.lastgroup != "comment":
            tokens.append((found.lastgroup, found.group(found.lastgroup)))
    return tokens


def symbol(digits):
    return re.escape(chr(int(digits, 16)))


def number_pattern(text):
    digits = text[2:]
    if "-" in digits:
        low, high = digits.split("-")
        return f"[{symbol(low)}-{symbol(high)}]"
    return "".join(symbol(part) for part in digits.split("."))


def text_pattern(text):
    words = text[text.index('"') + 1:-1]
    return re.escape(words) if text.startswith("%s") else f"(?i:{re.escape(words)})"


class Grammar:
    def __init__(self, text):
        self.rules = {}  # name in small letters -> its tokens
        self.used = set()
        self.split(tokens_of(text))
        for name in self.rules:
            self.pattern(name, ())

    def split(self, tokens):
        starts = [i for i in range(len(tokens) - 1) if tokens[i][0] == "name" and tokens[i + 1] == ("define", "=")]
        if not starts or starts[0] != 0:
            raise GrammarError("it does not begin with a rule")
        for start, end in zip(starts, starts[1:] + [len(tokens)]):
            name = tokens[start][1].lower()
            if name in self.rules or name.upper() in CORE:
                raise GrammarError(f"{name} is defined twice")
            self.rules[name] = tokens[start + 2:end]

    def pattern(self, name, within):
        """The rule's regular expression; within are the rules that it is a part of."""
        key = name.lower()
        if key.upper() in CORE:
            return CORE[key.upper()]
        if key not in self.rules:
            raise GrammarError(f"{name} is not defined")
        if key in within:
            raise GrammarError(f"{name} is a part of itself")
        pattern, rest = self.alternation(self.rules[key], within + (key,))
        if rest:
            raise GrammarError(f"{name}: {rest[0][1]!r} is left over")
        return f"(?:{pattern})"

    def alternation(self, tokens, within):
        patterns = []
        while True:
            pattern, tokens = self.concatenation(tokens, within)
            patterns.append(pattern)
            if not tokens or tokens[0] != ("mark", "/"):
                return "|".join(patterns), tokens
            tokens = tokens[1:]

    def concatenation(self, tokens, within):
        patterns = []
        while tokens and tokens[0] not in (("mark", "/"), ("mark", ")"), ("mark", "]")):
            pattern, tokens = self.repetition(tokens, within)
            patterns.append(pattern)
        if not patterns:
            raise GrammarError("an empty alternative")
        return "".join(patterns), tokens

    def repetition(self, tokens, within):
        kind, text = tokens[0]
        if kind != "repeat":
            return self.element(tokens, within)
        low, star, high = text.partition("*")
        pattern, rest = self.element(tokens[1:], within)
        count = f"{low or 0},{high}" if star else low
        return f"(?:{pattern}){{{count}}}", rest

    def element(self, tokens, within):
        if not tokens:
            raise GrammarError("an element is missing")
        (kind, text), rest = tokens[0], tokens[1:]
        if kind == "name":
            self.used.add(text.lower())
            return self.pattern(text, within), rest
        if kind == "text":
            return text_pattern(text), rest
        if kind == "number":
            return number_pattern(text), rest
        closing = {"(": ")", "[": "]"}.get(text)
        if closing is None:
            raise GrammarError(f"{text!r} is no element")
        pattern, rest = self.alternation(rest, within)
        if not rest or rest[0] != ("mark", closing):
            raise GrammarError(f"{closing!r} is missing")
        return f"(?:{pattern}){'?' if text == '[' else ''}", rest[1:]

    def unused(self):
        return set(self.rules) - self.used

    def matcher(self, name):
        expression = re.compile(self.pattern(name, ()), re.DOTALL)
        return lambda symbols: expression.fullmatch(symbols) is not None
