"""The shape of each generated file without its words: what has to stay the same when only labels differ."""

import ast
import csv
import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import html5lib
from markdown_it import MarkdownIt
from pglast.parser import parse_sql_json


def python_shape(text: str) -> Any:
    """The syntax tree with every string literal left empty."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def sql_shape(text: str) -> Any:
    """PostgreSQL's own parse tree, without string values and places in the text."""
    return _bare_sql(json.loads(parse_sql_json(text)))


def _bare_sql(node: Any) -> Any:
    if isinstance(node, dict):
        left_out = ("sval", "str", "comment", "location", "stmt_len", "stmt_location")
        return {key: _bare_sql(value) for key, value in node.items() if key not in left_out}
    return [_bare_sql(inner) for inner in node] if isinstance(node, list) else node


def json_shape(text: str) -> Any:
    """Keys and types; of lists of words, that they are."""
    return _shape(json.loads(text))


def _shape(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _shape(value) for key, value in node.items()}
    if isinstance(node, list):
        return sorted({json.dumps(_shape(value), sort_keys=True) for value in node})
    return type(node).__name__


def html_shape(text: str) -> Any:
    """Elements and the names of their attributes; pictures have a shape of their own."""
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    for figure in list(tree.iter("figure")):
        figure.clear()
    return [(str(element.tag), sorted(element.attrib)) for element in tree.iter()]


def svg_shape(text: str) -> Any:
    """The kinds of element: how many lines a label takes may differ."""
    return sorted({element.tag for element in ElementTree.fromstring(text).iter()})  # noqa: S314


def markdown_shape(text: str) -> Any:
    """Blocks, and the links and marks in them."""
    tokens = MarkdownIt("commonmark").parse(text)
    inner = [child.type for token in tokens for child in (token.children or []) if child.type != "text"]
    return [token.type for token in tokens], inner


def mermaid_shape(text: str) -> Any:
    """Lines without labels and sentences."""
    return [re.sub(r'"[^"]*"|(?<=accTitle:).*|(?<=accDescr:).*|(?<=%%).*', "", line) for line in text.splitlines()]


def javascript_shape(text: str) -> Any:
    """The text without what stands between double quotes."""
    return re.sub(r"//.*", "", re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text))


def csv_shape(text: str) -> Any:
    """How many cells each row has."""
    return [len(row) for row in csv.reader(StringIO(text), strict=True)]


SHAPES: dict[str, Callable[[str], Any]] = {
    ".py": python_shape,
    ".sql": sql_shape,
    ".html": html_shape,
    ".svg": svg_shape,
    ".md": markdown_shape,
    ".mmd": mermaid_shape,
    ".jsonld": json_shape,
    ".json": json_shape,
    ".jsonc": lambda text: json_shape(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE)),
    ".js": javascript_shape,
    ".csv": csv_shape,
}
