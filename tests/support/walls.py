"""Counters of what crosses a wall between packages, on parsed source code.

The wall is around a package, not around a class: inside `htag/tree/` a tag's `_x` is shared, outside it is not used.
Which package defines a private name is judged by the name, because the type of `x` in `x._name` is mostly not known
here. Where `x` is an argument, or an attribute of `self`, with the class of another package as its annotation, that
counts as well: else a package that has a `_name` of its own could use another's without being found.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

PRIVATE = re.compile(r"_[A-Za-z]\w*(?<!__)")
OWN = {"self", "cls"}
BY_NAME = {"getattr", "setattr", "hasattr", "delattr"}
DUNDERS = {"__getattr__", "__getattribute__", "__setattr__", "__delattr__"}


class Use(NamedTuple):
    """A private name that a module uses."""

    module: str
    line: int
    name: str


def is_private(name: str) -> bool:
    """Whether `name` begins with one underscore and is no dunder."""
    return PRIVATE.fullmatch(name) is not None


# -- definitions -------------------------------------------------------------------------------------------------------


def definitions(tree: ast.Module) -> set[str]:
    """The private names that a module gives to functions, classes, constants, attributes of `self` and slots."""
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _sets_own(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.Module | ast.ClassDef):
            for statement in node.body:
                found |= set(_assigned(statement))
    return {name for name in found if is_private(name)}


def _sets_own(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id in OWN


def _assigned(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module or class assigns, and the strings in `__slots__`."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    names = [node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)]
    yield from names
    if names == ["__slots__"]:
        yield from (str(node.value) for node in ast.walk(statement) if isinstance(node, ast.Constant))


def marks(tree: ast.Module) -> set[str]:
    """The private names that a module puts on objects that are not its own: `x._name = …`, and by a literal string."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and not _sets_own(node):
            found.add(node.attr)
        elif (name := _by_string(node)) is not None and _writes(node):
            found.add(name)
    return {name for name in found if is_private(name)}


def _writes(node: ast.AST) -> bool:
    """Whether an access by string sets what it names."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Store)
    function = getattr(node, "func", None)
    return getattr(function, "id", getattr(function, "attr", None)) in {"setattr", "__setattr__", "setdefault"}


# -- uses --------------------------------------------------------------------------------------------------------------


def uses(module: str, tree: ast.Module) -> Iterator[Use]:
    """Private names that a module uses: `x._name`, `from m import _name`, and access by a literal string.

    `self._name` is no exception: a class may inherit it from another package.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            yield Use(module, node.lineno, node.attr)
        elif isinstance(node, ast.ImportFrom):
            yield from (Use(module, node.lineno, each.name) for each in node.names if is_private(each.name))
        elif (name := _by_string(node)) is not None:
            yield Use(module, getattr(node, "lineno", 0), name)


def _by_string(node: ast.AST) -> str | None:
    """`_name` of `x.__dict__["_name"]`, `"_name" in x.__dict__`, `getattr(x, "_name")` and their like."""
    match node:
        case ast.Subscript(value=held, slice=ast.Constant(value=name)) if _is_namespace(held):
            pass
        case ast.Compare(left=ast.Constant(value=name), comparators=[held]) if _is_namespace(held):
            pass
        case ast.Call(func=ast.Attribute(value=held), args=[ast.Constant(value=name), *_]) if _is_namespace(held):
            pass
        case ast.Call(func=ast.Name(id=function), args=[_, ast.Constant(value=name), *_]) if function in BY_NAME:
            pass
        case ast.Call(func=ast.Attribute(attr=method), args=[_, ast.Constant(value=name), *_]) if method in DUNDERS:
            pass
        case ast.Call(func=ast.Name("attrgetter") | ast.Attribute(attr="attrgetter"), args=[ast.Constant(value=name)]):
            pass
        case _:
            return None
    return name if isinstance(name, str) and is_private(name) else None


def _is_namespace(node: ast.expr) -> bool:
    """Whether this is `x.__dict__` or `vars(x)`."""
    match node:
        case ast.Attribute(attr="__dict__") | ast.Call(func=ast.Name(id="vars"), args=[_]):
            return True
    return False


# -- annotations -------------------------------------------------------------------------------------------------------


def uses_of_annotated(module: str, tree: ast.Module) -> Iterator[tuple[Use, str]]:
    """(use, the module that the class comes from) of each `x._name` whose `x` is annotated with an imported class."""
    origins = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    attributes = _annotated_attributes(tree)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = _annotated_arguments(function)
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and is_private(node.attr):
                    for kind in _kinds(node.value, arguments, attributes) & set(origins):
                        yield Use(module, node.lineno, node.attr), origins[kind]


def _kinds(holder: ast.expr, arguments: Mapping[str, set[str]], attributes: Mapping[str, set[str]]) -> set[str]:
    match holder:
        case ast.Name(id=name):
            return arguments.get(name, set())
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return attributes.get(name, set())
    return set()


def _annotated_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, set[str]]:
    """The names of classes in the annotation of each argument."""
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return {each.arg: _classes(each.annotation) for each in arguments if each.annotation is not None}


def _annotated_attributes(tree: ast.Module) -> dict[str, set[str]]:
    """The same of the attributes of all classes: annotated themselves, or set from an annotated argument."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute | ast.Name):
            name = node.target.attr if isinstance(node.target, ast.Attribute) else node.target.id
            found.setdefault(name, set()).update(_classes(node.annotation))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = _annotated_arguments(node)
            for each in ast.walk(node):
                if isinstance(each, ast.Assign) and isinstance(each.value, ast.Name):
                    for target in each.targets:
                        if isinstance(target, ast.Attribute) and _sets_own(target):
                            found.setdefault(target.attr, set()).update(arguments.get(each.value.id, ()))
    return found


def _classes(annotation: ast.expr) -> set[str]:
    """The names in an annotation: of `App | None`, `"App"` and `list[App]` alike, since one of them may be meant."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}


# -- packages ----------------------------------------------------------------------------------------------------------


class Names:
    """The private names of every package: those that it defines, and those that it only puts on other objects."""

    def __init__(self, sources: Mapping[str, ast.Module], packages: Mapping[str, str]) -> None:
        """`sources`: parsed modules by dotted name; `packages`: the package of each."""
        self._packages = packages
        self._defined: dict[str, set[str]] = {}
        self._put: dict[str, set[str]] = {}
        for module, tree in sources.items():
            self._defined.setdefault(packages[module], set()).update(definitions(tree))
            self._put.setdefault(packages[module], set()).update(marks(tree))
        self.uses = [use for module, tree in sources.items() for use in uses(module, tree)]
        self._annotated = {
            use
            for module, tree in sources.items()
            for use, origin in uses_of_annotated(module, tree)
            if packages.get(origin, packages[module]) != packages[module]
        }

    def foreign(self) -> list[Use]:
        """The uses of names that another package defines or puts on objects, and not the user's own.

        Of its own names, those that it uses on what is annotated as another package's.
        """
        return [use for use in self.uses if use in self._annotated or (not self._own(use) and self._other(use))]

    def third_party(self) -> list[Use]:
        """The uses of names that none of the packages has."""
        known: set[str] = set().union(*self._defined.values(), *self._put.values())
        return [use for use in self.uses if use.name not in known]

    def _own(self, use: Use) -> bool:
        return use.name in self._defined[self._packages[use.module]]

    def _other(self, use: Use) -> bool:
        own = self._packages[use.module]
        return any(use.name in names for kind in (self._defined, self._put) for at, names in kind.items() if at != own)


# -- names put into other modules --------------------------------------------------------------------------------------


def patches(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, name) of what a module assigns, while it is imported, into what it has imported: `Imported.name = …`,
    `imported["name"] = …`, `setattr(Imported, "name", …)`."""
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for node in _at_import(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in _at_import(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            place: ast.expr | None = node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
            place = node.args[0]
        else:
            continue
        if _root(place) in imported:
            yield node.lineno, ast.unparse(node)


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: everything but the bodies of its functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _at_import(child)


def _root(node: ast.expr | None) -> str | None:
    """`a` of `a.b["c"].d`."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
