"""As much of YAML as it takes to add lines to a file without touching any other: keys of block mappings, items of lists. What is not plain is refused.

Every added group of lines stands between two marks, so that it can be taken out again and the file is what it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BEGIN, END, KEPT = "# platewatch begin", "# platewatch end", "# platewatch kept: "
KEY = re.compile(r"""( *)("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#&*!|>'"%@`\[\]{},?:-][^:#]*?|-[^\s:#][^:#]*?)\s*:(?:\s+(.*))?$""")


class Unclear(ValueError):
    """The file is good YAML perhaps, but in a form that is not added to."""


@dataclass(frozen=True, slots=True)
class Key:
    """`line` is its own, `end` the line after the last one that belongs to it; `value` what stands on its own line."""

    name: str
    indent: int
    line: int
    end: int
    value: str


def empty(line: str) -> bool:
    """Nothing, or a comment alone."""
    return not line.strip() or line.lstrip().startswith("#")


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def quoted(word: str) -> str:
    """A double-quoted scalar that every YAML reader takes."""
    signs = {'"': '\\"', "\\": "\\\\"}
    return '"' + "".join(signs.get(char) or (char if char.isprintable() else f"\\U{ord(char):08x}") for char in word) + '"'


def plain(word: str) -> str:
    """A scalar of a file without its quotes and the comment behind it."""
    word = word.strip()
    if match := re.match(r'"((?:[^"\\]|\\.)*)"', word):
        return re.sub(r"\\(.)", r"\1", match[1])
    if match := re.match(r"'((?:[^']|'')*)'", word):
        return match[1].replace("''", "'")
    return re.split(r"\s#", word)[0].strip()


def keys(lines: list[str], start: int, stop: int, indent: int) -> dict[str, Key]:
    """Keys of the block mapping whose keys stand `indent` deep. Raises Unclear for a line there that is none."""
    found: list[tuple[str, int, str]] = []
    for number in range(start, stop):
        line = lines[number]
        if empty(line) or (found and indent_of(line) > indent):
            continue
        if indent_of(line) != indent or "\t" in line[: indent + 1]:
            raise Unclear(f"line {number + 1}")
        if re.match(r" *-(\s|$)", line) and found:  # items may stand as deep as their key
            continue
        match = KEY.match(line)
        if match is None:
            raise Unclear(f"line {number + 1}")
        name = plain(match[2])
        if name == "<<" or name in (known for known, _, _ in found):
            raise Unclear(f"line {number + 1}")
        found.append((name, number, match[3] or ""))
    ends = [number for _, number, _ in found[1:]] + [stop]
    return {name: Key(name, indent, number, end, value) for (name, number, value), end in zip(found, ends, strict=False)}


def bare(key: Key) -> bool:
    """Nothing but perhaps a comment stands behind it on its line."""
    return not key.value or key.value.startswith("#")


def last(lines: list[str], start: int, stop: int) -> int:
    """The line after the last one of a block that holds something; blank lines that a `|+` text keeps are its own."""
    end = stop
    while end > start and (not lines[end - 1].strip() or (lines[end - 1].startswith("#") and lines[end - 1] != END)):
        end -= 1
    return text_end(lines, stop) if keeping(lines[start:end]) else end


def keeping(lines: list[str]) -> bool:
    """Whether blank lines may belong to a text (`|+`)."""
    return any(re.search(r"[|>]\d*\+\d*\s*(#.*)?$", line) for line in lines)


def text_end(lines: list[str], stop: int) -> int:
    """`stop`, but before the nothing that follows the last line's end."""
    return stop - (stop == len(lines) and lines[-1:] == [""])


def children(lines: list[str], key: Key) -> dict[str, Key]:
    """Keys below a key. Raises Unclear where its value is no block mapping."""
    inside = [line for line in lines[key.line + 1 : key.end] if not empty(line)]
    if not bare(key) or (inside and inside[0].lstrip().startswith("- ")):
        raise Unclear(f"line {key.line + 1}")
    if not inside:
        return {}
    deep = indent_of(inside[0])
    if deep <= key.indent:
        raise Unclear(f"line {key.line + 2}")
    return keys(lines, key.line + 1, key.end, deep)


def marked(lines: list[str], indent: int) -> list[str]:
    """The lines between their marks."""
    room = " " * indent
    return [room + BEGIN, *(room + line for line in lines), room + END]


def without_marked(lines: list[str]) -> list[str]:
    """The lines as they were before any was added. Raises Unclear where a mark has no other."""
    kept, inside = [], False
    for line in lines:
        word = line.strip()
        if word in (BEGIN, END):
            if inside == (word == BEGIN):
                raise Unclear("a mark of Platewatch's own without the other")
            inside = not inside
        elif not inside:
            kept.append(line.replace(KEPT, "", 1) if word.startswith(KEPT) else line)
    if inside:
        raise Unclear("a mark of Platewatch's own without the other")
    return kept


def at_end(lines: list[str]) -> int:
    """Where one more key goes: behind everything but blank lines that belong to nothing."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return text_end(lines, len(lines)) if keeping(lines) else end


def is_list(lines: list[str], key: Key) -> bool:
    """Whether a key's value looks like a list, or is not there."""
    inside = [line for line in lines[key.line + 1 : key.end] if not empty(line)]
    return key.value.startswith("[") or (bare(key) and (not inside or re.match(r" *-(\s|$)", inside[0]) is not None))


def add_item(lines: list[str], key: Key, item: list[str]) -> list[str]:
    """The lines with one more item at the end of a list; `item` is its lines without the dash. Raises Unclear."""
    inside = [number for number in range(key.line + 1, key.end) if not empty(lines[number])]
    if key.value.startswith("["):
        return _into_flow(lines, key, item)
    if not is_list(lines, key):
        raise Unclear(f"line {key.line + 1}")
    deep = indent_of(lines[inside[0]]) if inside else key.indent
    at = last(lines, key.line + 1, key.end)
    return lines[:at] + marked([f"- {item[0]}", *(f"  {line}" for line in item[1:])], deep) + lines[at:]


def _into_flow(lines: list[str], key: Key, item: list[str]) -> list[str]:
    """`[a, b]`, on one line or several: before the bracket that closes it."""
    if len(item) != 1:
        raise Unclear(f"line {key.line + 1}")
    text = "\n".join(lines[key.line : key.end])
    start = text.index("[", text.index(":"))
    depth, at, quote, before = 0, start, "", ""
    while at < len(text):
        char = text[at]
        if quote:
            if (char == "\\" and quote == '"') or text[at : at + 2] == "''" == quote * 2:
                at += 1
            elif char == quote:
                quote = ""
        elif char in "\"'" and text[at - 1] in " [{,:\n":
            quote = char
        elif char == "#" and text[at - 1].isspace():
            at = text.find("\n", at)
            if at < 0:
                break
            continue
        elif char in "[{":
            depth += 1
        elif char in "]}":
            depth -= 1
            if depth == 0:
                comma = "" if before in "[," else ", "
                return lines[: key.line] + (text[:at] + comma + item[0] + text[at:]).split("\n") + lines[key.end :]
        before = char if not char.isspace() else before
        at += 1
    raise Unclear(f"line {key.line + 1}")
