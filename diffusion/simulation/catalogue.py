"""The catalogue of simulated tracks: ids, titles, artists, releases, licences, audio features."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from diffusion.arrays import Floats, Ints
from diffusion.simulation import rates
from diffusion.sources.layouts import AUDIO_COLUMNS

_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype=np.uint8)
_OTHER_WORDS_SHARE: Final = 0.08
"""Share of titles whose first word is not ASCII; with syllables, .2 of titles are not (sample .27, weekly .05)."""

_LICENCES: Final = 40
_FULL_LICENCE: Final = 0.10
"""Share of tracks licensed everywhere; a row of the raw layout then has about 1,100 bytes (prior study: 1,035)."""

_SYLLABLES = """
ba be bi bo da de di do fa fe fi fo ga go ha he ja jo ka ke ki ko la le li lo ma me mi mo na ne ni no pa pe pi po ra re
ri ro sa se si so ta te ti to va ve vi vo ya yo za zé ñe ön
"""

_PLAIN_WORDS = """
Baby Baila Blinding Blue Body Calle Crazy Dance Dark Diamonds Dream Fever Fire Forever Ghost Gold Heart Home Ice Kiss
Levitating Liebe Lights Lost Love Luna Midnight Mi Money Moon Nacht Noche Ocean Ojos Paradise Perfect Playa Rain River
Runaway Shadow Sky Sol Solo Star Storm Sugar Summer Sunflower Vida Water Wild Young Yo
"""

_OTHER_WORDS = """
Corazón Élan Última Más Señorita Tú Żal Ça Ünlü Öl Além Où Příběh şarkı любовь ночь 夜に駆ける 愛 사랑 봄날 حب ليلة שיר
รัก प्यार
"""

_COUNTRIES = """
AD AE AG AL AM AO AR AT AU AZ BA BB BD BE BF BG BH BI BJ BN BO BR BS BT BW BY BZ CA CH CI CL CM CO CR CV CW CY CZ DE DJ
DK DM DO DZ EC EE EG ES FI FJ FM FR GA GB GD GE GH GM GN GQ GR GT GW GY HK HN HR HT HU ID IE IL IN IS IT JM JO JP KE KG
KH KI KM KN KR KW KZ LA LB LC LI LK LR LS LT LU LV MA MC MD ME MG MH MK ML MN MO MR MT MU MV MW MX MY MZ NA NE NG NI NL
NO NP NR NZ OM PA PE PG PH PK PL PS PT PW PY QA RO RS RU RW SA SB SC SE SG SI SK SL SM SN SR ST SV SZ TD TG TH TL TN TO
TR TT TV TW TZ UA UG US UY UZ VC VN VU WS XK ZA ZM ZW
"""

SYLLABLES: Final = tuple(_SYLLABLES.split())
PLAIN_WORDS: Final = tuple(_PLAIN_WORDS.split())
OTHER_WORDS: Final = tuple(_OTHER_WORDS.split())
"""Words with letters beyond ASCII, some written from right to left."""

TITLE_ENDS: Final = (
    *[""] * 30,
    " - Remix",
    " - Remastered 2011",
    " (feat. Nova)",
    ", Pt. 2",
    " 🔥",
    ' - From "Noir"',
    "?",
    " / Intro",
)
"""Ends of titles; most are empty."""

COUNTRIES: Final = tuple(_COUNTRIES.split())
"""Countries of a service that sells everywhere."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The fields of n tracks, numbered from 0.

    Attributes
    ----------
    track_id, title, artist, album
        Arrow arrays of text; artists are joined by ", ".
    release
        (n,): date of release.
    precision
        (n,): 0 for a day, 1 for a year.
    explicit
        (n,): flags.
    duration_ms, popularity
        (n,): milliseconds, and 0 … 100.
    audio
        Name of each of the 12 audio features → values, (n,).
    licence
        (n,): index in `licences`. Every list names all simulated markets, so licences restrict no risk set.
    licences
        Lists of country codes.
    recording
        (n,): number of the first track of the same recording; several ids of one recording share it.
    unlisted
        (n,): whether the raw layout has no catalogue fields for the track.
    """

    track_id: pa.Array
    title: pa.Array
    artist: pa.Array
    album: pa.Array
    release: NDArray[np.datetime64]
    precision: NDArray[np.int8]
    explicit: NDArray[np.bool_]
    duration_ms: Ints
    popularity: Ints
    audio: dict[str, Floats]
    licence: Ints
    licences: list[list[str]]
    recording: Ints
    unlisted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.release)


def draw_catalogue(rng: np.random.Generator, released: NDArray[np.datetime64], markets: tuple[str, ...]) -> Catalogue:
    """Return a catalogue of tracks released on the given dates.

    Parameters
    ----------
    released
        (n,): date of each track's debut; for old tracks, date of release.
    markets
        Codes of the simulated markets; every track is licensed in all of them.
    """
    n = len(released)
    recording, same = _draw_recordings(rng, n)
    title = _titles(rng, n).take(pa.array(same))
    artist = _artists(rng, n).take(pa.array(recording))
    year_only = rng.random(n) < rates.YEAR_ONLY
    release = released - (rng.random(n) < 0.3) * rng.integers(0, 8, n)
    release = np.where(rng.random(n) < 0.002, released + rng.integers(1, 400, n), release)  # re-released later
    release = np.where(year_only, release.astype("datetime64[Y]").astype("datetime64[D]"), release)
    duration = np.exp(rng.normal(np.log(200_000), 0.22, n)).astype(np.int64) * (rng.random(n) > 0.0005)
    licences = _licences(rng, markets)
    return Catalogue(
        track_id=_ids(rng, n),
        title=title,
        artist=artist,
        album=title.take(pa.array(rng.integers(0, max(1, n // 3), n))) if n else title,
        release=release,
        precision=year_only.astype(np.int8),
        explicit=rng.random(n) < 0.32,
        duration_ms=duration,
        popularity=rng.integers(0, 97, n),
        audio=_audio(rng, n),
        licence=np.where(rng.random(n) < _FULL_LICENCE, 0, rng.integers(0, len(licences), n)),
        licences=licences,
        recording=recording,
        unlisted=rng.random(n) < rates.NO_METADATA,
    )


def _draw_recordings(rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
    """Return, (n,) each, the track whose recording each track is, and the track whose title it has."""
    recording = np.arange(n)
    # if a share q of the tracks are further ids, about q / (1 − q) of the recordings have several
    again = np.flatnonzero(rng.random(n) < rates.SEVERAL_IDS / (1 + rates.SEVERAL_IDS))
    original = np.setdiff1d(recording, again)
    if len(original):
        recording[again] = rng.choice(original, len(again))
    same = np.where(rng.random(n) < rates.SAME_TITLE / 2, rng.integers(0, max(n, 1), n), np.arange(n))
    same[again] = again
    return recording, same[recording]


def _ids(rng: np.random.Generator, n: int) -> pa.Array:
    """Return ids like Spotify's: 22 letters and digits."""
    letters = _ALPHABET[rng.integers(0, len(_ALPHABET), (n, 22))]
    offsets = np.arange(n + 1, dtype=np.int32) * 22
    return pa.Array.from_buffers(pa.string(), n, [None, pa.py_buffer(offsets), pa.py_buffer(letters.tobytes())])


def _titles(rng: np.random.Generator, n: int) -> pa.Array:
    """Return titles of a few words in several scripts, some with a comma, a quote or an emoji."""
    plain, other = (
        pa.array(words).take(pa.array(rng.integers(0, len(words), n))) for words in (PLAIN_WORDS, OTHER_WORDS)
    )
    word = pc.if_else(pa.array(rng.random(n) < _OTHER_WORDS_SHARE), other, plain)
    name, second = (
        _names(rng.integers(0, len(SYLLABLES) ** 2, n), 2),
        _names(rng.integers(0, len(SYLLABLES) ** 2, n), 2),
    )
    two = pc.binary_join_element_wise(word, name, " ")
    three = pc.binary_join_element_wise(word, name, second, " ")
    chosen = pc.choose(pa.array(rng.choice(3, n, p=(0.05, 0.75, 0.20))), word, two, three)
    return pc.binary_join_element_wise(
        chosen, pa.array(TITLE_ENDS).take(pa.array(rng.integers(0, len(TITLE_ENDS), n))), ""
    )


def _names(codes: Ints, syllables: int) -> pa.Array:
    """Return a capitalised name for each code."""
    parts = [
        pa.array(SYLLABLES).take(pa.array(codes // len(SYLLABLES) ** k % len(SYLLABLES))) for k in range(syllables)
    ]
    return pc.utf8_capitalize(pc.binary_join_element_wise(*parts, ""))


def _artists(rng: np.random.Generator, n: int) -> pa.Array:
    """Return credits: a first artist and up to three guests; few artists have many tracks."""
    artists = max(4, round(n / rates.TRACKS_PER_ARTIST))
    base = len(SYLLABLES) ** 2
    codes = (np.arange(artists) * 2_654_435_761 + rng.integers(0, base**2)) % base**2
    names = pc.binary_join_element_wise(_names(codes % base, 2), _names(codes // base, 2), " ")
    lead, *guests = ((rng.random(n) ** 1.5 * artists).astype(np.int64) for _ in range(4))
    credits = rng.choice(4, n, p=rates.GUESTS)
    joined = [names.take(pa.array(lead))]
    for guest in guests:
        joined.append(pc.binary_join_element_wise(joined[-1], names.take(pa.array(guest)), ", "))
    return pc.choose(pa.array(credits), *joined)


def _audio(rng: np.random.Generator, n: int) -> dict[str, Floats]:
    audio = {name: rng.beta(2.5, 2.0, n).round(3) for name in AUDIO_COLUMNS}
    audio["af_key"] = rng.integers(0, 12, n).astype(np.float64)
    audio["af_mode"] = (rng.random(n) < 0.57).astype(np.float64)
    audio["af_loudness"] = (-rng.gamma(4.0, 1.7, n)).clip(-60, 2.24).round(3)
    audio["af_instrumentalness"] = (rng.beta(0.1, 3.0, n)).round(6)
    audio["af_tempo"] = rng.normal(121, 29, n).clip(40, 238.431).round(3) * (rng.random(n) > 0.0005)
    audio["af_time_signature"] = rng.choice((3.0, 4.0, 5.0), n, p=(0.05, 0.93, 0.02))
    return audio


def _licences(rng: np.random.Generator, markets: tuple[str, ...]) -> list[list[str]]:
    """Return lists of countries: the first has all, the others lack some countries that are not simulated."""
    world = sorted({*COUNTRIES, *markets})
    known = set(markets)
    shares = rng.uniform(0.02, 0.6, _LICENCES - 1)
    return [world, *([c for c in world if c in known or rng.random() > share] for share in shares)]
