"""Errors caused by users or data; all derive from `DiffusionError`.

Each message is one line that says what was found, where, and what to do. The command line prints only this line and
ends with `exit_code`.
"""


class DiffusionError(ValueError):
    """Base of all errors that this project raises on purpose."""

    exit_code = 2


class SourceError(DiffusionError):
    """The source of the charts cannot be used: no file, no rows, a column missing, a market unknown."""


class UnknownMarketError(SourceError):
    """A market name or code that the alias table does not know."""


class NoChartError(SourceError):
    """A file that holds no table at all: empty, or text without columns. In a folder it is passed over."""


class SettingError(DiffusionError):
    """A parameter, option or study file that cannot be right."""


class OutputError(DiffusionError):
    """The output folder cannot be written."""


class EngineError(DiffusionError):
    """What works on the rows cannot be used, or ended in the middle: no Java, no cluster there, an executor lost."""


class DataSaysNoError(DiffusionError):
    """The data was read, but does not hold what was asked for."""

    exit_code = 1
