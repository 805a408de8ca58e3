"""The languages of the interface, through gettext catalogues read straight from their .po files."""

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("en", "ru")
LOCALE = Path(__file__).resolve().parent.parent / "frontend" / "locale"


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of a language; English is that of the sources, and needs little of one."""
    path = LOCALE / language / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        catalog = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def stated(field: str, text: str | None, language: str) -> str | None:
    """What a checkpoint states in a field (title, licence), in a language; one that has no
    translation there stays as it is."""
    return translations(language).pgettext(field, text) if text else text


def preferred(accept_language: str) -> str:
    """The reader's language by an Accept-Language header: the best-weighted one we speak."""
    wanted = []
    for part in accept_language.split(","):
        tag, _, quality = part.replace(" ", "").partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if weight > 0:  # 0 is a refusal
            wanted.append((-weight, tag.lower().split("-")[0]))
    for _, tag in sorted(wanted, key=lambda pair: pair[0]):
        if tag in LANGUAGES:
            return tag
    return LANGUAGES[0]
