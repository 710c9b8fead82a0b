"""Figures as files, with the same bytes for the same figure; files are written whole or not at all."""

import io
from pathlib import Path
from typing import Any, Final, Literal

from matplotlib.figure import Figure

from diffusion import SettingError
from diffusion.files import write_whole
from figures.page.style import applied

Kind = Literal["png", "svg"]
"""File formats of figures."""

DPI: Final = 150
"""Dots per inch of PNG files."""

_METADATA: Final[dict[Kind, dict[str, Any]]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
}


def render(figure: Figure, kind: Kind) -> bytes:
    """Return the figure as the content of a file; the bytes are the same every time.

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
    """Write NAME.png and NAME.svg into a folder and return their paths.

    Each file is written under another name and then renamed, so a reader finds the old or the new content, never a
    part.

    Parameters
    ----------
    figure
        A figure of this package.
    folder
        Folder of the files; it is made where it does not exist.
    name
        File name without extension.

    Raises
    ------
    SettingError
        When the name is empty or contains a folder.

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
        raise SettingError(f"'{name}' is no file name; give a name without folder and extension")
    contents = {folder / f"{name}.{kind}": render(figure, kind) for kind in _METADATA}
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        write_whole(path, content)
    return list(contents)
