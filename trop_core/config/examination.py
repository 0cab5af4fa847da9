"""What a text comes to as a configuration file: the tree, the values that can be used, and all that is wrong with it.

Whoever reads a file, checks one or follows one as it is typed gets it from here, so that all of them say the same.
"""

from __future__ import annotations

from trop_core.config import plain_yaml
from trop_core.config.interpreter import Interpreter
from trop_core.config.values import Problems
from trop_core.errors.configuration import ConfigError
from trop_core.light_types import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from trop_core.config.layer import Layer
    from trop_core.config.tree import Node
    from trop_core.errors.configuration import ConfigProblem


class Examination(NamedTuple):
    """What was found. ``root`` is None for a text without a value, and for one that cannot be read to its end.

    ``layer`` holds what could be read. ``is_usable`` says whether a call can go on with it: with what is only carried
    among the ``problems``, it can.
    """

    root: Node | None
    layer: Layer
    problems: tuple[ConfigProblem, ...]
    is_usable: bool

    def usable(self) -> Layer:
        """The layer. Raises ``ConfigError`` with all problems where it cannot be used."""
        if not self.is_usable:
            raise ConfigError(self.problems)
        return self.layer


def examine(
    text: str, file: str, *, project: bool, allowed: Collection[str] = (), is_whole: bool = True
) -> Examination:
    """Read a text that holds nothing but characters that YAML allows. Pure, and raises nothing.

    ``allowed`` are the variables that the user allows a project's file to name. Of a text that is not whole, nothing is
    called missing.
    """
    problems = Problems(file, is_whole=is_whole)
    reader = Interpreter(problems, project=project, allowed=allowed)
    root: Node | None = None
    try:
        root = plain_yaml.read(text)
        if root is None:
            # YAML's parser takes longer to load than everything else that a reservation needs.
            from trop_core.config import yaml_tree

            root = yaml_tree.parse(text, problems)
        if root is not None:
            reader.read(root)
    except ConfigError as error:
        return Examination(root, reader.layer, error.problems, is_usable=False)
    return Examination(root, reader.layer, tuple(problems.in_order()), is_usable=not problems.found)
