"""Filter text → tree of conditions, in one pass over the text.

    expression = all {",or," all}        all = term {",and," term}
    term       = condition | "(" expression ")"
    condition  = field ":" ["not:"] [operator ":"] value          (the operator may be left out after not:, and is eq then)
    field      = part {"." part}         part, value = bare | "'" text with quotes doubled "'"

Comes in: text of any kind. Goes out: a tree, or a refusal that shows the place. What the names mean is judged by `resolve`.
"""

import re

from planwerk.errors import INVALID_FILTER, Refusal, refuse
from planwerk.query.conditions import All, AnyOf, Condition, Node
from planwerk.query.operators import BY_NAME

MAX_BYTES = 16 * 1024
MAX_CONDITIONS = 100
MAX_DEPTH = 10  # brackets within brackets
AROUND = 20  # characters shown on each side of a fault

SPACES = re.compile(r"\s*")
QUOTED = re.compile(r"'([^']*(?:''[^']*)*)'(?!')")
PART = re.compile(r"[^:,.()']*")
WORD = re.compile(r"[a-z_]*")
BARE = re.compile(r"[^,)]*")
JOINER = re.compile(r",\s*(and|or)\s*,")


def parse_filter(text: str) -> Node:
    """The tree of a filter; refuses with INVALID_FILTER what is none, showing the place.

    >>> parse_filter("status:eq:open")
    Condition(path=('status',), operator='eq', is_negated=False, value='open', is_quoted=False, position=0)
    >>> parse_filter("a:eq:1,or,b:not:'x',and,c:has:").items[1].items[0].is_negated
    True
    >>> parse_filter("name:equals:x")
    Traceback (most recent call last):
    planwerk.errors.Refusal: expected an operator at position 6: "name:↦equals:x"
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise refuse(INVALID_FILTER, f"a filter may have at most {MAX_BYTES} bytes")
    return Parser(text).whole()


def fault(description: str, text: str, index: int) -> Refusal:
    """The refusal of a filter: what is wrong, and the place where.

    >>> fault("unknown property nam", "nam:eq:x", 0).faults[0].description
    'unknown property nam at position 1: "↦nam:eq:x"'
    """
    before, after = text[max(0, index - AROUND) : index], text[index : index + AROUND]
    cut_before, cut_after = "…" if index > AROUND else "", "…" if len(text) > index + AROUND else ""
    return refuse(INVALID_FILTER, f'{description} at position {index + 1}: "{cut_before}{before}↦{after}{cut_after}"')


class Parser:
    """Reads one text from left to right; `index` never goes back by more than one word."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.index = 0
        self.conditions = 0

    def whole(self) -> Node:
        node = self.expression(0)
        if self.index < len(self.text):
            raise self.expected("an opening bracket before this one" if self.sees(")") else ",and, or ,or,")
        return node

    def expression(self, depth: int) -> Node:
        """Terms joined by and, these joined by or: `and` binds tighter."""
        alternatives = [[self.term(depth)]]
        while joiner := self.joiner():
            term = self.term(depth)
            if joiner == "and":
                alternatives[-1].append(term)
            else:
                alternatives.append([term])
        joined = tuple(items[0] if len(items) == 1 else All(tuple(items)) for items in alternatives)
        return joined[0] if len(joined) == 1 else AnyOf(joined)

    def joiner(self) -> str | None:
        self.skip()
        found = JOINER.match(self.text, self.index)
        if found is None:
            return None
        self.index = found.end()
        return found.group(1)

    def term(self, depth: int) -> Node:
        self.skip()
        if not self.sees("("):
            return self.condition()
        if depth == MAX_DEPTH:
            raise fault(f"brackets may nest to {MAX_DEPTH} levels; one too many", self.text, self.index)
        self.index += 1
        node = self.expression(depth + 1)
        self.take(")", "a closing bracket, ,and, or ,or,")
        return node

    def condition(self) -> Condition:
        start = self.index
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise fault(f"a filter may have at most {MAX_CONDITIONS} conditions; one too many", self.text, start)
        path = self.path()
        is_negated = self.negation()
        operator = self.operator(may_be_absent=is_negated)
        value, is_quoted = self.value()
        return Condition(path, operator, is_negated, value, is_quoted, start)

    def path(self) -> tuple[str, ...]:
        parts = [self.part()]
        while self.sees("."):
            self.index += 1
            parts.append(self.part())
        self.take(":", "a colon after the property")
        return tuple(parts)

    def part(self) -> str:
        self.skip()
        if self.sees("'"):
            return self.quoted()
        start = self.index
        self.index = end_of(PART, self.text, start)
        part = self.text[start : self.index].strip()
        if not part:
            self.index = start
            raise self.expected("the name of a property")
        return part

    def negation(self) -> bool:
        """Whether `not:` stands here; it is passed over."""
        start, word = self.index, self.word()
        if word == "not" and self.sees(":"):
            self.index += 1
            return True
        self.index = start
        return False

    def operator(self, *, may_be_absent: bool) -> str:
        """The name of the operator that stands here; its colon is passed over."""
        start, word = self.index, self.word()
        if word in BY_NAME:
            self.take(":", f"a colon after {word}")
            return BY_NAME[word].name
        self.index = start
        if not may_be_absent:
            self.skip()
            raise self.expected("an operator")
        return "eq"

    def value(self) -> tuple[str, bool]:
        self.skip()
        if self.sees("'"):
            return self.quoted(), True
        start = self.index
        self.index = end_of(BARE, self.text, start)
        return self.text[start : self.index].strip(), False

    def quoted(self) -> str:
        found = QUOTED.match(self.text, self.index)
        if found is None:
            raise fault("a quote is opened and not closed", self.text, self.index)
        self.index = found.end()
        self.skip()
        return found.group(1).replace("''", "'")

    def word(self) -> str:
        self.skip()
        start = self.index
        self.index = end_of(WORD, self.text, start)
        word = self.text[start : self.index]
        self.skip()
        return word

    def skip(self) -> None:
        self.index = end_of(SPACES, self.text, self.index)

    def sees(self, mark: str) -> bool:
        return self.text.startswith(mark, self.index)

    def take(self, mark: str, words: str) -> None:
        if not self.sees(mark):
            raise self.expected(words)
        self.index += 1

    def expected(self, words: str) -> Refusal:
        return fault(f"expected {words}", self.text, self.index)


def end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Where a match of a pattern that also matches nothing ends."""
    found = pattern.match(text, start)
    return found.end() if found else start


def write_filter(node: Node) -> str:
    """The text of a tree of conditions: `parse_filter(write_filter(tree)) == tree`.

    >>> write_filter(parse_filter("( name : eq : 'it''s',or,x.y:not:z ) ,and, b:has:"))
    "(name:eq:'it''s',or,x.y:not:eq:z),and,b:has:"
    """
    if isinstance(node, All):
        return ",and,".join(f"({write_filter(item)})" if isinstance(item, All | AnyOf) else write_filter(item) for item in node.items)
    if isinstance(node, AnyOf):
        return ",or,".join(f"({write_filter(item)})" if isinstance(item, AnyOf) else write_filter(item) for item in node.items)
    if not isinstance(node, Condition):
        raise TypeError(f"{type(node).__name__} has no text of its own")
    value = quote(node.value) if node.is_quoted else node.value
    return f"{'.'.join(map(write_part, node.path))}:{'not:' if node.is_negated else ''}{node.operator}:{value}"


def write_part(part: str) -> str:
    is_plain = PART.fullmatch(part) and part == part.strip() != ""
    return part if is_plain else quote(part)


def quote(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
