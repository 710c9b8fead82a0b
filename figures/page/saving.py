"""Figures as files: the same bytes for the same figure, and never half a file."""

import io
from pathlib import Path
from typing import Any, Final, Literal

from matplotlib.figure import Figure

from diffusion import SettingError
from diffusion.files import write_whole
from figures.page.style import applied

Kind = Literal["png", "svg"]
"""What a figure can be rendered as."""

DPI: Final = 150
"""Dots per inch of PNG files."""

_METADATA: Final[dict[Kind, dict[str, Any]]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
}


def render(figure: Figure, kind: Kind) -> bytes:
    """Return the figure as the content of a file, the same bytes every time.

    Examples
    --------
    >>> import pandas as pd
    >>> from figures import lag_distribution
    >>> figure = lag_distribution(pd.DataFrame({"days": [7], "transitions": [3]}), joint=0, window=56)
    >>> render(figure, "png")[:4]
    b'\\x89PNG'
    """
    if kind not in _METADATA:
        raise SettingError(f"kind is '{kind}'; allowed are 'png' and 'svg'")
    buffer = io.BytesIO()
    with applied():
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=_METADATA[kind])
    return buffer.getvalue()


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write NAME.png and NAME.svg into a folder, made if need be, and return their paths.

    Each file is written aside and renamed, so that a reader finds the old content or the new, never a part.

    Parameters
    ----------
    figure
        As any function of this package returns it.
    folder
        Where the files go.
    name
        File name without ending.

    Raises
    ------
    SettingError
        When the name is empty or has a folder in it.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from figures import lag_distribution
    >>> figure = lag_distribution(pd.DataFrame({"days": [7], "transitions": [3]}), joint=0, window=56)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in save(figure, Path(folder), "lags")]
    ['lags.png', 'lags.svg']
    """
    if not name or Path(name).name != name or name == "..":
        raise SettingError(f"'{name}' is no file name")
    contents = {folder / f"{name}.{kind}": render(figure, kind) for kind in _METADATA}
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        write_whole(path, content)
    return list(contents)
