"""YAML as a graph of nodes: every value keeps its line, and every scalar its own text.

Nothing is turned into Python's numbers here, so no amount ever passes through a float. What YAML
offers beyond plain values (anchors, aliases, tags, several documents) is refused.
"""

from typing import Any

import yaml

from loyalty_service.domain.program.faults import InvalidProgram, ProgramFault

MAX_BYTES = 256 * 1024
REFUSED_TAGS = {
    "!alias": "is an alias; write the value out",
    "!anchor": "carries an anchor; write each value out where it stands",
    "!explicit": "carries a type tag; write the plain value",
}
"""Marks that `compose` leaves on a node, with what to say about it."""

_MAX_DEPTH = 16


def compose(text: str) -> yaml.Node:
    """Return the document's root node; raise InvalidProgram for a text that cannot be read."""
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise _unreadable(1, f"is too long; keep it within {MAX_BYTES // 1024} KiB")
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise _unreadable(_line(error), _words(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _unreadable(line, "holds a character that YAML does not allow; remove it") from error
    except (ValueError, OverflowError) as error:
        raise _unreadable(1, "holds an escape that is no character; remove it") from error
    if root is None:
        raise _unreadable(1, "is empty; begin with the program's id")
    return root


class _Loader(yaml.SafeLoader):
    """Composes nodes, no deeper than a program can be, and marks what programs do not use."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node; raises yaml.MarkedYAMLError where it cannot be read."""
        # PyYAML's own annotations stop here: its events and marks are untyped.
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            mark: Any = event.start_mark
            return yaml.ScalarNode("!alias", f"*{event.anchor}", mark, mark)
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(None, None, "it is nested too deep", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None and event.anchor is not None:
            node.tag = "!anchor"
        elif node is not None and event.tag is not None:
            node.tag = "!explicit"
        return node


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _words(error: yaml.MarkedYAMLError) -> str:
    if error.context == "expected a single document in the stream":
        return "holds a second document; keep one and remove what follows its end"
    return f"is not YAML here: {error.problem}"


def _unreadable(line: int, message: str) -> InvalidProgram:
    return InvalidProgram([ProgramFault(line, "document", "", message)])
