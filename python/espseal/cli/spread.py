"""Options that go together are a dataclass: each of its fields is one option of a command."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeAlias, get_type_hints

Command: TypeAlias = Callable[..., None]


def spread(kind: type[Any], name: str) -> Callable[[Command], Command]:
    """Puts the fields of the dataclass ``kind`` in the place of a command's parameter ``name``."""
    hints = get_type_hints(kind, include_extras=True)
    options = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(kind)
    ]

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        own = [each for each in signature.parameters.values() if each.name != name]

        @wraps(command)
        def with_options(**given: Any) -> None:  # noqa: ANN401 (as typer calls it)
            together = kind(**{each.name: given.pop(each.name) for each in options})
            command(**given, **{name: together})

        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own] + options
        with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {each.name: each.annotation for each in parameters}
        return with_options

    return decorate
