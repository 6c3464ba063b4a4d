"""What a module tells its reader, counted: the size of modules and functions, docstrings, and words to avoid."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from itertools import pairwise

# A program's parts have names: the session, the tab, the caller, the visitor.
RIDDLES = re.compile(
    r"\b(no|some|any|every)(body|one)\b(?! of)|\bno one\b|\b(who|whom|which)(so)?ever\b", re.IGNORECASE
)
FILES = r"(?<![\w/.])(?:htag|app|apps|bench|deploy|docs|loadtest|monitoring|nginx|tests)/[\w./-]*\w\.[a-z]+\b"
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


# -- words -------------------------------------------------------------------------------------------------------------


def riddles(source: str) -> list[str]:
    """The pronouns in docstrings and comments that say "a person or part, find out which"."""
    texts = [*docstrings(ast.parse(source)), *comments(source)]
    return [match[0].lower() for text in texts for match in RIDDLES.finditer(text)]


def docstrings(tree: ast.Module) -> Iterator[str]:
    """The docstrings of a module, its classes and functions, and the strings below attributes."""
    for node in ast.walk(tree):
        for before, statement in pairwise([None, *getattr(node, "body", [])] if _has_statements(node) else []):
            match statement:
                case ast.Expr(value=ast.Constant(value=str(text))) if before is None or isinstance(
                    before, ast.Assign | ast.AnnAssign
                ):
                    yield text


def files_named(source: str) -> set[str]:
    """The files of this repository that docstrings and comments name by their path."""
    texts = [*docstrings(ast.parse(source)), *comments(source)]
    return {name for text in texts for name in re.findall(FILES, text)}


def _has_statements(node: ast.AST) -> bool:
    return isinstance(getattr(node, "body", None), list)


def comments(source: str) -> Iterator[str]:
    """The comments of a module, each run of lines as one text."""
    lines: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] > last + 1:
                yield " ".join(lines)
                lines = []
            lines.append(token.string.lstrip("# "))
            last = token.start[0]
    yield " ".join(lines)


# -- docstrings --------------------------------------------------------------------------------------------------------


def undocumented(module: str, tree: ast.Module) -> Iterator[str]:
    """The public names of a module without a docstring: itself, its classes, functions and methods, dotted."""
    if tree.body and not ast.get_docstring(tree):
        yield module
    for name, node in _public(module, tree):
        if not ast.get_docstring(node):
            yield name


def documented_methods(trees: Iterable[ast.Module]) -> set[str]:
    """The names of methods that some class documents: a class that implements such a method need not repeat it."""
    return {
        method.name
        for tree in trees
        for kind in ast.walk(tree)
        if isinstance(kind, ast.ClassDef)
        for method in kind.body
        if isinstance(method, Function) and ast.get_docstring(method)
    }


def _public(prefix: str, node: ast.Module | ast.ClassDef) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    for child in node.body:
        if isinstance(child, ast.ClassDef | Function) and not child.name.startswith("_"):
            yield f"{prefix}.{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from _public(f"{prefix}.{child.name}", child)


# -- sizes -------------------------------------------------------------------------------------------------------------


def function_lengths(tree: ast.Module) -> dict[str, int]:
    """Lines of each function by name; of functions with the same name the longest."""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, Function):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            found[node.name] = max(found.get(node.name, 0), lines)
    return found
