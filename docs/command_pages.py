"""The reference of commands: every command, argument and option, as click knows them."""

import inspect

import click

from pipelines.commands.main import cli

PROGRAM = "chart-diffusion"


def command_text() -> str:
    """Return every command with its arguments and options, as Markdown."""
    return "\n\n".join(_section(child, f"{PROGRAM} {name}", 2) for name, child in cli.commands.items())


def _section(command: click.Command, name: str, level: int) -> str:
    """Return one command under its heading; a group is followed by its commands, one level down."""
    context = click.Context(command, info_name=name)
    parts = [f"{'#' * level} {name}", inspect.cleandoc(command.help or "")]
    if isinstance(command, click.Group):
        parts += [_section(child, f"{name} {word}", level + 1) for word, child in command.commands.items()]
        return "\n\n".join(parts)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    options = [option for option in command.params if isinstance(option, click.Option)]
    rows = [f"| {_flags(option, context)} | {_meaning(option, context)} |" for option in options]
    return "\n\n".join([*parts, f"```text\n{usage}\n```", "\n".join(["| option | meaning |", "|---|---|", *rows])])


def _flags(option: click.Option, context: click.Context) -> str:
    value = "" if option.is_flag else f" {option.make_metavar(context)}"
    return _cell(f"`{', '.join(option.opts)}{value}`")


def _meaning(option: click.Option, context: click.Context) -> str:
    shown = option.get_help_extra(context)
    notes = ["required"] if option.required else [f"default {shown['default']}"] if "default" in shown else []
    several = ["may be given several times"] if option.multiple and "several" not in (option.help or "") else []
    return _cell(". ".join([(option.help or "").removesuffix("."), *map(str.capitalize, [*notes, *several])]) + ".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
