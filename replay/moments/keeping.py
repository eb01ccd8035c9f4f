"""How a fold's state is kept while the fold goes on: a compact copy that shares what did not change with the last one.

keeper = keeper_of(Ledger)
kept = keeper.keep(ledger, before)       # `before` is what was kept last, or None
keeper.restored(kept)                    # a state of its own, which may be folded on

Which parts of a state can change is read from its types, once: frozen structs, tuples and plain values are shared, and
so is what is declared `replay.folds.Given`; lists, dictionaries and other structs are copied. What is small and many is
frozen (an idea, an attempt, a pack: a fold puts another in its place), so that keeping a state is a few tuples of what
it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import eq
from typing import Any, NamedTuple, Protocol, get_origin

from msgspec import inspect


class Keeper(Protocol):
    """Keeps the states of one type, and gives them back."""

    def keep(self, live: Any, before: Any) -> Any:
        """Return a form that later changes of `live` leave alone; `before` itself, or parts of it, where equal."""

    def restored(self, kept: Any) -> Any:
        """Return a new state that equals the one that was kept, and may be changed."""


class Table(NamedTuple):
    """A dictionary of what may change, as it is kept: keys that did not change are shared."""

    keys: tuple[Any, ...]
    values: tuple[Any, ...]


class _Shared:
    """What nobody changes."""

    def keep(self, live: Any, before: Any) -> Any:
        return live

    def restored(self, kept: Any) -> Any:
        return kept


class _List:
    """A list, kept as a tuple."""

    def __init__(self, item: Keeper) -> None:
        self.item = item

    def keep(self, live: list[Any], before: tuple[Any, ...] | None) -> tuple[Any, ...]:
        return _sequence(self.item, live, before or ())

    def restored(self, kept: tuple[Any, ...]) -> list[Any]:
        return list(kept) if isinstance(self.item, _Shared) else list(map(self.item.restored, kept))


class _Copied:
    """A dictionary of what nobody changes, kept as a copy: forty thousand entries take the time of five hundred."""

    def keep(self, live: dict[Any, Any], before: dict[Any, Any] | None) -> dict[Any, Any]:
        same = before is not None and live == before and all(map(eq, live, before))
        return before if same and before is not None else live.copy()

    def restored(self, kept: dict[Any, Any]) -> dict[Any, Any]:
        return kept.copy()


class _Dict:
    """A dictionary, kept as a table, in its order."""

    def __init__(self, value: Keeper) -> None:
        self.value = value

    def keep(self, live: dict[Any, Any], before: Table | None) -> Table:
        before = before or Table((), ())
        keys: tuple[Any, ...] = tuple(live)
        if keys == before.keys:
            keys = before.keys
        values = _sequence(self.value, list(live.values()), before.values)
        return before if keys is before.keys and values is before.values else Table(keys, values)

    def restored(self, kept: Table) -> dict[Any, Any]:
        return dict(zip(kept.keys, map(self.value.restored, kept.values), strict=True))


class _Struct:
    """A struct of parts that are kept each in its own form, in a copy of it."""

    def __init__(self, kind: type[Any], parts: dict[str, Keeper]) -> None:
        self._copy: Callable[[Any], Any] = kind.__copy__
        self._parts = parts

    def keep(self, live: Any, before: Any) -> Any:
        kept = self._copy(live)
        for name, part in self._parts.items():
            setattr(kept, name, part.keep(getattr(live, name), getattr(before, name, None)))
        return before if kept == before else kept

    def restored(self, kept: Any) -> Any:
        live = self._copy(kept)
        for name, part in self._parts.items():
            setattr(live, name, part.restored(getattr(kept, name)))
        return live


_SETTLED = (
    *(inspect.NoneType, inspect.BoolType, inspect.IntType, inspect.FloatType, inspect.StrType, inspect.BytesType),
    *(inspect.LiteralType, inspect.UnionType, inspect.TupleType, inspect.VarTupleType),
)


@lru_cache
def keeper_of(kind: Any) -> Keeper:
    """Return the keeper of a type of states.

    Raises:
        TypeError: a part of it is neither plain nor a struct, list, tuple or dictionary.
    """
    return _keeper(inspect.type_info(kind))


def _keeper(info: inspect.Type) -> Keeper:
    match info:
        case inspect.Metadata(type=inner, extra=extra):
            return _Shared() if (extra or {}).get("given") else _keeper(inner)
        case inspect.StructType(cls=cls, fields=fields):
            return _struct(get_origin(cls) or cls, fields)
        case inspect.ListType(item_type=item):
            return _List(_keeper(item))
        case inspect.DictType(value_type=value):
            held = _keeper(value)
            return _Copied() if isinstance(held, _Shared) else _Dict(held)
    return _plain(info)


def _plain(info: inspect.Type) -> Keeper:
    match info:
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            inner = types
        case inspect.VarTupleType(item_type=item):
            inner = (item,)
        case _:
            inner = ()
    if isinstance(info, _SETTLED) and all(isinstance(_keeper(each), _Shared) for each in inner):
        return _Shared()
    raise TypeError(f"a state cannot be kept with a {type(info).__name__} of what may change in it")


def _struct(kind: type[Any], fields: tuple[inspect.Field, ...]) -> Keeper:
    if kind.__struct_config__.frozen:
        return _Shared()
    keepers = {field.name: _keeper(field.type) for field in fields}
    return _Struct(kind, {name: keeper for name, keeper in keepers.items() if not isinstance(keeper, _Shared)})


def _sequence(item: Keeper, live: Sequence[Any], before: tuple[Any, ...]) -> tuple[Any, ...]:
    """Keep the items; those that stand where they stood, and equal what stood there, are shared."""
    many = min(len(live), len(before))
    if isinstance(item, _Shared):
        kept = tuple(live)
    elif isinstance(item, _List) and isinstance(item.item, _Shared):
        formed = list(map(tuple, live))
        known = (old if old == new else new for old, new in zip(before, formed, strict=False))
        kept = (*known, *formed[many:])
    else:
        padded = (*before[:many], *(None for _ in live[many:]))
        kept = tuple(map(item.keep, live, padded))
    return before if kept == before else kept
