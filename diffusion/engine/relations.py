"""The relations of ``sql/``: SELECTs over named tables, with values bound by name."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

_PARAMETER = re.compile(r"\$([a-z_]+)")


@cache
def relation_sql(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return resources.files("diffusion").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def bind(name: str, parameters: Mapping[str, object]) -> tuple[str, dict[str, object] | None]:
    """Return the text of a relation and its parameters; None for a relation without parameters.

    Raises
    ------
    TypeError
        When the parameters are not exactly those that the text names.
    """
    sql = relation_sql(name)
    if (wanted := set(_PARAMETER.findall(sql))) != set(parameters):
        raise TypeError(f"the relation '{name}' takes {sorted(wanted)}, not {sorted(parameters)}")
    return sql, dict(parameters) or None
