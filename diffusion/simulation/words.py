"""Words, syllables and countries for simulated titles, names and licences."""

from typing import Final

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
