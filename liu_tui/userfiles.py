"""Load one class from one user's file, or say in words why not; and set its parameters.

It serves strategies, scanners and miners alike: the base class is an argument. Loading always reads the file
anew, under a module name that nobody else has, so a reload gives fresh classes and leaves the old ones as
they are. A file may import its neighbours in the same folder; each load gets fresh copies of those too, and
they never hide an installed module.
"""

import inspect
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from difflib import get_close_matches
from importlib import invalidate_caches
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, TypeVar, get_origin

import msgspec

from liu_tui.errors import UserFileError

T = TypeVar("T")
KeyFault = tuple[str, str, str]
"""One fault of a parameter: key, what, mend."""

_numbers = count(1)


def load(path: Path, name: str, base: type[T]) -> type[T]:
    """Read `path` and return its class `name`, or the only subclass of `base` that it defines.

    May be called again for the same file: the classes are new ones.
    Raises UserFileError: no such file, a syntax error, anything that the file raises, no such class, or a
    class that does not keep to the base's signatures. `where` is the file and, if known, the line.
    """
    module = _execute(path)
    found = _find(module, path, name, base)
    _check_methods(found, base, path)
    declared: Iterable[tuple[str, str]] = getattr(found, "declaration_faults", tuple)()
    for what, mend in declared:
        raise UserFileError(what, where=_place(path, found), mend=mend)
    return found


def parameters(cls: type) -> dict[str, Any]:
    """Find the annotated class attributes that have a default: key -> type.

    A ClassVar and a name with a leading underscore are no parameters.
    Raises UserFileError if an annotation cannot be read.
    """
    found: dict[str, Any] = {}
    for klass in reversed(cls.__mro__):
        for key, kind in _annotations(klass).items():
            if kind is ClassVar or get_origin(kind) is ClassVar:
                found.pop(key, None)
            elif not key.startswith("_") and hasattr(cls, key):
                found[key] = kind
    return found


def faults_of(cls: type, params: Mapping[str, Any]) -> list[KeyFault]:
    """Find every fault of these parameters, in their order: unknown keys, values that do not fit."""
    return _convert(cls, params)[1]


def build(cls: type[T], name: str, params: Mapping[str, Any]) -> T:
    """Make an instance called `name`; its parameters are set before its __init__ runs.

    An int is accepted for a float. Raises UserFileError for the first bad parameter, and if __init__ raises.
    """
    values, faults = _convert(cls, params)
    for key, what, mend in faults:
        raise UserFileError(f"{key}: {what}", where=f"{cls.__name__} {name!r}", mend=mend)
    instance = cls.__new__(cls)
    for key in parameters(cls):
        # A copy, because a default such as [] is the class's and must not be shared by its instances.
        setattr(instance, key, values[key] if key in values else deepcopy(getattr(cls, key)))
    try:
        cls.__init__(instance, name)  # type: ignore[call-arg] # every base that users extend takes its name
    except Exception as e:
        raise UserFileError(
            f"__init__ raised {type(e).__name__}: {e}",
            where=_line_of(e, Path(inspect.getfile(cls))),
            mend="Take one argument, the name, and hand it to super().__init__(name).",
        ) from e
    return instance


# ---- reading the file


def _execute(path: Path) -> ModuleType:
    source = _read(path)
    module = ModuleType(f"_liu_user_{path.stem}_{next(_numbers)}")
    module.__file__ = str(path)
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as e:  # ValueError: null bytes
        line = getattr(e, "lineno", None) or 1
        words = e.msg if isinstance(e, SyntaxError) else str(e)
        mend = f"Mend line {line}; nothing of the file was run."
        raise UserFileError(f"syntax error: {words}", where=f"{path}:{line}", mend=mend) from e
    sys.modules[module.__name__] = module  # typing looks here when it reads annotations that are strings
    try:
        with _neighbours(path.parent.resolve()):
            exec(code, module.__dict__)  # noqa: S102 - running the user's file is what this module is for
    except (Exception, SystemExit) as e:
        del sys.modules[module.__name__]
        raise _refusal(e, path) from e
    return module


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        mend = "Paths are relative to the workspace; check `filename`."
        if path.parent.is_dir():
            near = get_close_matches(path.name, sorted(p.name for p in path.parent.glob("*.py")), n=1)
            mend = f"Did you mean {near[0]!r}?" if near else mend
        raise UserFileError(e.strerror or str(e), where=str(path), mend=mend) from e


@contextmanager
def _neighbours(folder: Path) -> Iterator[None]:
    # Last on the path, so that a neighbour never hides an installed module; forgotten afterwards, so that the
    # next load reads it again and strategies/tools.py is never taken for scanners/tools.py. No byte code is
    # written: it is told apart by whole seconds, and a file saved twice in one would come back old.
    before, wrote = set(sys.modules), sys.dont_write_bytecode
    sys.path.append(str(folder))
    sys.dont_write_bytecode = True
    invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and not name.startswith("_liu_user_") and folder in Path(file).resolve().parents:
                del sys.modules[name]


def _refusal(e: BaseException, path: Path) -> UserFileError:
    where = _line_of(e, path)
    if isinstance(e, UserFileError):
        return UserFileError(e.what, where=e.where or where, mend=e.mend)
    if isinstance(e, ModuleNotFoundError) and e.name:
        mend = (
            f"Install {e.name.partition('.')[0]!r} into this environment, or put {e.name}.py beside the file."
        )
        return UserFileError(f"no module named {e.name!r}", where=where, mend=mend)
    if isinstance(e, ImportError):
        return UserFileError(str(e), where=where, mend="Names for users come from liu_tui: see its __all__.")
    if isinstance(e, SystemExit):
        return UserFileError("the file ends the program", where=where, mend="Take exit() out of it.")
    mend = "It happened while the file was read, before any class was used."
    return UserFileError(f"{type(e).__name__}: {e}", where=where, mend=mend)


def _line_of(e: BaseException, path: Path) -> str:
    # A syntax error in a neighbour names its own place; else the deepest line of the user's file tells most.
    if isinstance(e, SyntaxError) and e.filename:
        return f"{e.filename}:{e.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(e.__traceback__) if Path(f.filename) == path]
    return f"{path}:{lines[-1]}" if lines else str(path)


# ---- finding and checking the class


def _find(module: ModuleType, path: Path, name: str, base: type[T]) -> type[T]:
    named = getattr(module, name, None)
    if isinstance(named, type) and issubclass(named, base) and named is not base:
        return named
    kind = base.__name__
    own = [
        c
        for c in vars(module).values()
        if isinstance(c, type) and issubclass(c, base) and c.__module__ == module.__name__
    ]
    if named is None and len(own) == 1:
        return own[0]
    if named is not None:
        raise UserFileError(
            f"{name} is not a {kind}", where=_place(path, named), mend=f"Write class {name}({kind})."
        )
    names = sorted(c.__name__ for c in own)
    near = get_close_matches(name, names, n=1)
    mend = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(names)}."
    if not names:
        mend = f"Write class {name}({kind}) in it; `from liu_tui import {kind}`."
    raise UserFileError(f"no class {name!r} that extends {kind}", where=str(path), mend=mend)


def _check_methods(cls: type, base: type, path: Path) -> None:
    for name, ours in inspect.getmembers(base, inspect.iscoroutinefunction):
        theirs = getattr(cls, name)
        if theirs is ours:
            continue
        words = ", ".join(inspect.signature(ours).parameters)
        mend = f"Write async def {name}({words})."
        if not inspect.iscoroutinefunction(theirs):
            raise UserFileError(f"{name}() is not `async def`", where=_place(path, theirs), mend=mend)
        try:
            inspect.signature(theirs).bind(*inspect.signature(ours).parameters)
        except TypeError as e:
            raise UserFileError(f"{name}() has {e}", where=_place(path, theirs), mend=mend) from e


def _place(path: Path, thing: object) -> str:
    try:
        return f"{path}:{inspect.getsourcelines(thing)[1]}"  # type: ignore[arg-type] # anything else: TypeError
    except (OSError, TypeError):
        return str(path)


# ---- parameters


def _annotations(klass: type) -> dict[str, Any]:
    try:
        return inspect.get_annotations(klass, eval_str=True)
    except Exception as e:
        raise UserFileError(
            f"an annotation of {klass.__name__} cannot be read: {e}",
            where=_place(Path(inspect.getfile(klass)), klass),
            mend="Import the names that annotations use, outside of TYPE_CHECKING.",
        ) from e


def _convert(cls: type, params: Mapping[str, Any]) -> tuple[dict[str, Any], list[KeyFault]]:
    known = parameters(cls)
    values: dict[str, Any] = {}
    faults: list[KeyFault] = []
    for key, value in params.items():
        if key not in known:
            faults.append((key, f"unknown key of {cls.__name__}", _nearest(key, known)))
            continue
        try:
            values[key] = msgspec.convert(value, known[key], strict=True)
        except msgspec.ValidationError as e:
            expected = str(e).replace("`", "").partition(", got")[0].replace("Expected", "expected")
            mend = f"Write a value like {getattr(cls, key)!r}, its default."
            faults.append((key, f"was {value!r}: {expected}", mend))
        except TypeError as e:  # msgspec knows no such type
            faults.append(
                (key, f"its annotation cannot be checked: {e}", "Use int, float, bool, str or a list.")
            )
    return values, faults


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(key, known, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known keys: {', '.join(known)}." if known else "It has no parameters."
