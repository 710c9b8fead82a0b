"""The commands query …: questions to a finished graph folder."""

from pathlib import Path

import click

from pipelines.commands.options import JSON
from pipelines.commands.screen import say_json
from pipelines.query import answers

FROM = click.option(
    "--from", "place", type=click.Path(path_type=Path), required=True, help="Folder made by graph, run or demo."
)
MOST_OPTION = click.option("--most", type=click.IntRange(min=1), default=10, show_default=True, help="Number of rows.")


@click.group()
def query() -> None:
    """Ask a finished graph folder."""


@query.command()
@click.option("--by", default="lead_excess", show_default=True, help="Score to rank by.")
@MOST_OPTION
@FROM
@JSON
def leaders(by: str, most: int, place: Path, as_json: bool) -> None:
    """Which markets lead?"""
    _show(answers.leaders(place, by=by, most=most), as_json)


@query.command()
@click.argument("source")
@click.argument("target")
@FROM
@JSON
def flow(source: str, target: str, place: Path, as_json: bool) -> None:
    """How many tracks go from SOURCE to TARGET (names or codes), and how fast?"""
    _show(answers.flow(place, source, target), as_json)


@query.command()
@click.argument("track")
@FROM
@JSON
def journey(track: str, place: Path, as_json: bool) -> None:
    """Where did TRACK (id, url or title) go, in order?"""
    _show(answers.journey(place, track), as_json)


@query.command("next-from")
@click.argument("market")
@MOST_OPTION
@FROM
@JSON
def next_from(market: str, most: int, place: Path, as_json: bool) -> None:
    """Which markets do tracks enter after MARKET (name or code), and with what probability?"""
    _show(answers.next_from(place, market, most=most), as_json)


@query.command("who-follows")
@click.argument("market")
@MOST_OPTION
@FROM
@JSON
def who_follows(market: str, most: int, place: Path, as_json: bool) -> None:
    """Which markets follow MARKET directly, as far as the charts show it?"""
    _show(answers.who_follows(place, market, most=most), as_json)


@query.command()
@click.argument("market")
@MOST_OPTION
@FROM
@JSON
def influence(market: str, most: int, place: Path, as_json: bool) -> None:
    """Which markets does MARKET follow directly, as far as the charts show it?"""
    _show(answers.influence(place, market, most=most), as_json)


@query.command()
@click.argument("source")
@click.argument("target")
@click.option("--most", type=click.IntRange(min=1), default=3, show_default=True, help="Number of routes.")
@FROM
@JSON
def route(source: str, target: str, most: int, place: Path, as_json: bool) -> None:
    """By which routes along direct pairs do tracks get from SOURCE to TARGET?"""
    _show(answers.route(place, source, target, most=most), as_json)


@query.command()
@click.argument("source")
@click.argument("target")
@FROM
@JSON
def explain(source: str, target: str, place: Path, as_json: bool) -> None:
    """What do the numbers of the edge from SOURCE to TARGET say, in words?"""
    _show(answers.explain(place, source, target), as_json)


def _show(answer: answers.Answer, as_json: bool) -> None:
    say_json(answer.data) if as_json else click.echo(answer.text)
