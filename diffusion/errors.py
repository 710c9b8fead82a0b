"""The errors a user can cause or data can raise, all of one family.

The message of every one is a single line that says what was found, where, and what to do. The command line prints
it and nothing else; `exit_code` is what the process ends with.
"""


class DiffusionError(ValueError):
    """Base of all errors that this project raises on purpose."""

    exit_code = 2


class SourceError(DiffusionError):
    """The source of the charts cannot be used: no file, no rows, a column missing, a market unknown."""


class UnknownMarketError(SourceError):
    """A market name or code that the alias table does not know."""


class SettingError(DiffusionError):
    """A parameter, option or study file that cannot be right."""


class OutputError(DiffusionError):
    """The output folder cannot be written."""


class DataSaysNoError(DiffusionError):
    """Everything was read, but what was asked for is not in the data."""

    exit_code = 1
