"""Files and functions stay small enough to be read in one go (design, section 5)."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator

from tests.support.tree import name, packages, python_files

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MEDIAN_FUNCTION = 8
NINE_OF_TEN_FUNCTIONS = 30


def functions() -> Iterator[tuple[str, int]]:
    """Every function of the rooms with its number of lines; those of tests and benchmarks are only held to the limit."""
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name(path)}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_longer_than_can_be_overlooked():
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {file: lines for file, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen():
    assert {function: lines for function, lines in functions() if lines > LONGEST_FUNCTION} == {}


def test_most_functions_are_short():
    rooms = tuple(f"{room}/" for room in packages())
    lengths = [lines for function, lines in functions() if function.startswith(rooms)]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION
    assert statistics.quantiles(lengths, n=10)[8] <= NINE_OF_TEN_FUNCTIONS
