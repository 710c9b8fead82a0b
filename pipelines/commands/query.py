"""The commands of `query`: questions to a finished folder."""

from pathlib import Path

import click

from diffusion import SettingError
from diffusion.conventions import LONGEST
from graphs.look_alikes import DAYS, HORIZON, MOST
from pipelines.commands.options import JSON, with_options
from pipelines.commands.screen import say_json
from pipelines.query import markets, tracks
from pipelines.query.answer import Answer

ANSWERED = (
    click.option(
        "--from", "place", type=click.Path(path_type=Path), required=True, help="Folder made by graph, run or demo."
    ),
    JSON,
    click.option("--csv", "as_csv", is_flag=True, help="Print the table as CSV."),
    click.option("--markdown", "as_markdown", is_flag=True, help="Print the table as Markdown."),
)
"""Options of all questions: the folder, and the form of the answer, which `show` takes."""

ROWS = click.option("--most", type=click.IntRange(min=1), default=10, show_default=True, help="Number of rows.")
ARTIST = click.option("--artist", metavar="NAME", help="Only recordings with this in their credits.")


@click.group()
def query() -> None:
    """Ask a finished graph folder."""


@query.command()
@click.option("--by", default="lead_excess", show_default=True, help="Score to rank by.")
@ROWS
@with_options(ANSWERED)
def leaders(by: str, most: int, place: Path, **form: bool) -> None:
    """Which markets lead?"""
    show(markets.leaders(place, by=by, most=most), **form)


@query.command()
@click.argument("source")
@click.argument("target")
@with_options(ANSWERED)
def flow(source: str, target: str, place: Path, **form: bool) -> None:
    """How many tracks go from SOURCE to TARGET (names or codes), and how fast?"""
    show(markets.flow(place, source, target), **form)


@query.command()
@click.argument("text")
@ARTIST
@ROWS
@with_options(ANSWERED)
def find(text: str, artist: str | None, most: int, place: Path, **form: bool) -> None:
    """Which recordings have TEXT in their title or credits, or as id or link? Case and accents do not matter."""
    show(tracks.find(place, text, artist=artist, most=most), **form)


@query.command()
@click.argument("track")
@ARTIST
@with_options(ANSWERED)
def journey(track: str, artist: str | None, place: Path, **form: bool) -> None:
    """Where did TRACK (title, "title by artist", id or url) go, in order?

    By its title, all ids of the recording count together; by an id, that id alone.
    """
    show(tracks.journey(place, track, artist=artist), **form)


@query.command()
@click.argument("name")
@click.option("--credited", is_flag=True, help="Also tracks that credit the artist after others.")
@with_options(ANSWERED)
def artist(name: str, credited: bool, place: Path, **form: bool) -> None:
    """Where did the tracks of the artist NAME go, in order, and where did they begin?"""
    show(tracks.artist_tracks(place, name, credited=credited), **form)


@query.command()
@click.argument("track")
@ARTIST
@click.option(
    "--days",
    type=click.IntRange(0, LONGEST),
    default=DAYS,
    show_default=True,
    help="Days after the debut that count as first steps.",
)
@click.option(
    "--horizon",
    type=click.IntRange(1, LONGEST),
    default=HORIZON,
    show_default=True,
    help="Days after the first steps in which next markets count.",
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=MOST,
    show_default=True,
    help="Number of look-alikes; those as similar as the last of them count too.",
)
@with_options(ANSWERED)
def like(track: str, artist: str | None, days: int, horizon: int, most: int, place: Path, **form: bool) -> None:
    """Which tracks began most like TRACK (title, "title by artist", id or url), and which markets did they enter next?

    The later entries of TRACK are not used.
    """
    show(tracks.like(place, track, artist=artist, days=days, horizon=horizon, most=most), **form)


@query.command("next-from")
@click.argument("market")
@ROWS
@with_options(ANSWERED)
def next_from(market: str, most: int, place: Path, **form: bool) -> None:
    """Which markets do tracks enter after MARKET (name or code), and with what probability?"""
    show(markets.next_from(place, market, most=most), **form)


@query.command("who-follows")
@click.argument("market")
@ROWS
@with_options(ANSWERED)
def who_follows(market: str, most: int, place: Path, **form: bool) -> None:
    """Which markets follow MARKET directly, as far as the charts show it?"""
    show(markets.who_follows(place, market, most=most), **form)


@query.command()
@click.argument("market")
@ROWS
@with_options(ANSWERED)
def influence(market: str, most: int, place: Path, **form: bool) -> None:
    """Which markets does MARKET follow directly, as far as the charts show it?"""
    show(markets.influence(place, market, most=most), **form)


@query.command()
@click.argument("source")
@click.argument("target")
@click.option("--most", type=click.IntRange(min=1), default=3, show_default=True, help="Number of routes.")
@with_options(ANSWERED)
def route(source: str, target: str, most: int, place: Path, **form: bool) -> None:
    """By which routes along direct pairs do tracks get from SOURCE to TARGET?"""
    show(markets.route(place, source, target, most=most), **form)


@query.command()
@click.argument("source")
@click.argument("target")
@with_options(ANSWERED)
def explain(source: str, target: str, place: Path, **form: bool) -> None:
    """What do the numbers of the edge from SOURCE to TARGET say, in words?"""
    show(markets.explain(place, source, target), **form)


def show(answer: Answer, *, as_json: bool, as_csv: bool, as_markdown: bool) -> None:
    """Print an answer in the form that was asked for.

    Raises
    ------
    SettingError
        When several forms were asked for.
    """
    if as_json + as_csv + as_markdown > 1:
        raise SettingError("--json, --csv and --markdown are forms of one answer; choose one")
    if as_json:
        say_json(answer.data(), in_order=True)
        return
    text = answer.csv() if as_csv else answer.markdown() if as_markdown else answer.text()
    click.echo(text.rstrip("\n"))
