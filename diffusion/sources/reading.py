"""How chart files are read where they do not tell it themselves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from diffusion.errors import SettingError
from diffusion.sources.dates import check_format

CONSENTS: Final[Mapping[str, str]] = {
    "set-aside": "more than 1 % of the rows are set aside",
    "holes": "most charts lack ranks above their deepest",
}
"""Name of a condition that charts are refused for → what it is; with consent they are read."""


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What the user says about chart files.

    Attributes
    ----------
    columns
        Our column (`diffusion.sources.layouts.SOURCE_COLUMNS`) → the files' column, or its position from 1 in files
        without a header.
    market_names
        Market name → a known name or code; the name ``""`` stands for rows without a market.
    from_name
        Pattern of the end of a file's path, such as ``{market}/{date}.csv``: facts that the files' names hold.
    encoding
        Encoding of text files without a byte order mark (default None: recognised).
    date_format
        Order of the parts of a date, such as ``day/month/year``, or a format such as ``%d/%m/%Y`` (default None:
        recognised).
    first_rank
        The best rank, 1 or 0 (default 1).
    accept
        Names of the conditions (`CONSENTS`) that are accepted.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    market_names: Mapping[str, str] = field(default_factory=dict)
    from_name: str | None = None
    encoding: str | None = None
    date_format: str | None = None
    first_rank: int = 1
    accept: Collection[str] = ()

    def __post_init__(self) -> None:
        if self.first_rank not in (0, 1):
            raise SettingError(f"first_rank is {self.first_rank!r}; charts begin with rank 1, or 0")
        if self.date_format is not None:
            object.__setattr__(self, "date_format", check_format(self.date_format))
        strange = [name for name in self.accept if name not in CONSENTS]
        if isinstance(self.accept, str) or strange:
            listed = ", ".join(f"'{name}' ({what})" for name, what in CONSENTS.items())
            raise SettingError(f"accept has {strange[0] if strange else self.accept!r}; it may name {listed}")
