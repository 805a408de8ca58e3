"""The pages: server-rendered with Jinja2, the language in the path."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markdown_it import MarkdownIt
from markupsafe import Markup

from backend import lessons, static
from backend.errors import Error, NotFound
from backend.i18n import LANGUAGES, preferred, stated, translations

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
TEMPLATES = FRONTEND / "templates"
STYLES = FRONTEND / "static" / "css" / "figures"  # of figures of lessons, by their names
router = APIRouter(include_in_schema=False)
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
# The page of a kind; of all others lab.html.
LABS = {
    "seq2seq": "translate.html",
    "state_seq2seq": "translate.html",
    "captioner": "caption-lab.html",
    "vqa": "question-lab.html",
    "transformer_lm": "transformer.html",
    "encoder": "transformer.html",
    "transformer_seq2seq": "transformer.html",
}
# The kinds whose lab is one live figure of the lessons, and its view.
FIGURES: dict[str, str] = {
    "forecaster": "forecast",
    "sequence_classifier": "classifier",
    "tagger": "tagger",
    "char_conv": "convolution",
    "ngram": "orders",
    "crnn": "columns",
}
CAPTIONER = "caption-soft"  # the one that the caption page opens with, where it is there
WALKED = ("transformer_lm", "encoder")  # kinds that are gone through step by step
WALKER = "shakespeare-gpt"  # the one that this begins with, where it is there


def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)
    return environment


ENVIRONMENTS = {language: _environment(language) for language in LANGUAGES}


def render(request: Request, language: str, template: str, status: int = 200, **context):
    """A page in a language. Every template gets the names listed here.

    Checkpoints have their titles and licences in that language; `titles` leads to these from those
    that the API tells, for what a page asks it later.
    """
    other = next(name for name in LANGUAGES if name != language)
    path = request.url.path
    base = f"/static/{static.version()}"
    inside = path == f"/{language}" or path.startswith(f"/{language}/")
    checkpoints = request.app.state.catalog.summaries()
    titles = {one["title"]: stated("title", one["title"], language) for one in checkpoints}
    for about in (*checkpoints, context.get("checkpoint"), context.get("pair")):
        for field in ("title", "licence"):
            if about and field in about:
                about[field] = stated(field, about[field], language)
    html = (
        ENVIRONMENTS[language]
        .get_template(template)
        .render(
            language=language,
            other=f"/{other}{path[len(language) + 1 :]}" if inside else f"/{other}/",
            asset=lambda name: f"{base}/{name}",
            plotly_url=f"{base}/{static.PLOTLY}",
            checkpoints=checkpoints,
            titles={told: own for told, own in titles.items() if own != told},
            **({"checkpoint": None} | context),
        )
    )
    return HTMLResponse(html, status, {"Cache-Control": "no-cache", "Content-Language": language})


def error_page(request: Request, error: Error) -> Response:
    """An error for a person: the same words as the API's, on a page."""
    first = request.url.path.split("/")[1]
    language = first if first in LANGUAGES else reader_language(request)
    return render(request, language, "error.html", error.status, error=error.body()["error"])


def reader_language(request: Request) -> str:
    """The language the reader's browser asks for."""
    return preferred(request.headers.get("accept-language", ""))


def require_language(language: str) -> str:
    """A language we speak. Raises `NotFound`."""
    if language not in LANGUAGES:
        raise NotFound("There is no such page.", "Pages live under /en/ and /ru/.")
    return language


@router.get("/")
def root(request: Request) -> Response:
    return RedirectResponse(f"/{reader_language(request)}/", 307, {"Vary": "Accept-Language"})


@router.get("/favicon.ico")
def favicon() -> Response:
    return RedirectResponse(f"/static/{static.version()}/mark.svg", 307)


@router.get("/{language}/")
def home(request: Request, language: str) -> Response:
    course = lessons.course(require_language(language))
    return render(request, language, "home.html", course=course)


@router.get("/{language}/checkpoints")
def checkpoints(request: Request, language: str) -> Response:
    settings = request.app.state.settings
    return render(
        request,
        require_language(language),
        "checkpoints.html",
        importing=settings.takes_imports,
        import_bytes=settings.max_import_bytes,
    )


@router.get("/{language}/checkpoints/{checkpoint}")
def card(request: Request, language: str, checkpoint: str) -> Response:
    """A checkpoint's model card; its HTML is made here, and none that it holds is let through."""
    about = request.app.state.catalog.describe(checkpoint)
    html = Markup(MARKDOWN.render(about["card"]))
    return render(request, require_language(language), "card.html", checkpoint=about, card=html)


@router.get("/{language}/caption")
def caption(
    request: Request, language: str, checkpoint: Annotated[str | None, Query(alias="with")] = None
) -> Response:
    """The lab of a captioner: the one asked for, else `CAPTIONER`, else the first that is there."""
    require_language(language)
    ids = usable(request, "captioner")
    if checkpoint is None and not ids:
        raise NotFound(
            "No network here describes pictures.",
            "Put a checkpoint of this kind into checkpoints/ and start the server again.",
        )
    return lab(request, language, checkpoint or (CAPTIONER if CAPTIONER in ids else ids[0]))


def usable(request: Request, kind: str) -> list[str]:
    """The checkpoints of a kind that have not failed."""
    known = request.app.state.catalog.summaries()
    return [one["id"] for one in known if one["kind"] == kind and one["status"] != "failed"]


@router.get("/{language}/compare")
def compare(request: Request, language: str) -> Response:
    """One text through several networks, side by side."""
    brought = figures(["cells", "transfer"])  # rows of characters, lines over numbers
    return render(request, require_language(language), "compare.html", **brought)


@router.get("/{language}/steps")
def first_steps(request: Request, language: str) -> Response:
    """Attention step by step in `WALKER`, else in the first language model that is there."""
    require_language(language)
    ids = usable(request, "transformer_lm")
    if not ids:
        raise NotFound(
            "No network here can be gone through step by step.",
            "Put a checkpoint of the kind transformer_lm into checkpoints/ and start the server "
            "again.",
        )
    return steps(request, language, WALKER if WALKER in ids else ids[0])


@router.get("/{language}/steps/{checkpoint}")
def steps(request: Request, language: str, checkpoint: str) -> Response:
    """Attention rebuilt step by step on the numbers of one network."""
    about = request.app.state.catalog.describe(checkpoint)
    if about["kind"] not in WALKED:
        raise NotFound(
            "This network cannot be gone through step by step.",
            f"{checkpoint} is of the kind {about['kind']}; {' and '.join(WALKED)} can.",
        )
    return render(
        request, require_language(language), "steps.html", checkpoint=about, walked=WALKED
    )


@router.get("/{language}/lab/{checkpoint}")
def lab(request: Request, language: str, checkpoint: str) -> Response:
    catalog = request.app.state.catalog
    about = catalog.describe(checkpoint)
    pair = None
    if about["pair"] in catalog.entries:  # what its figures are held against
        found = catalog.describe(about["pair"])
        pair = {name: found[name] for name in ("id", "title", "config", "figures")}
    view = FIGURES.get(about["kind"])
    template = "figure-lab.html" if view else LABS.get(about["kind"], "lab.html")
    return render(
        request,
        require_language(language),
        template,
        checkpoint=about,
        view=view,
        **figures([view] if view else []),
        pair=pair,
        vqa=next(iter(usable(request, "vqa")), None),
        picture_bytes=request.app.state.settings.max_picture_bytes,
    )


@router.get("/{language}/lessons")
def path(request: Request, language: str) -> Response:
    """The course, lesson by lesson."""
    course = lessons.course(require_language(language))
    return render(request, language, "lessons.html", course=course)


@router.get("/{language}/lessons/{slug}")
def lesson(request: Request, language: str, slug: str) -> Response:
    course = lessons.course(require_language(language))
    slugs = [one.slug for one in course]
    if slug not in slugs:
        raise NotFound("There is no such lesson.", "The lessons are: " + ", ".join(slugs))
    number = slugs.index(slug) + 1
    return render(
        request,
        language,
        "lesson.html",
        course=course,
        lesson=course[number - 1],
        number=number,
        **figures(view.name for view in course[number - 1].views),
    )


@router.get("/{language}/views")
def every_view(request: Request, language: str) -> Response:
    """Every live figure in one place, with inputs that do not change."""
    shown = lessons.every_view()
    brought = figures(view.name for view in shown)
    return render(request, require_language(language), "views.html", shown=shown, **brought)


def figures(names: Iterable[str]) -> dict[str, list[str]]:
    """What the figures of these names bring to a page: their style sheets and their words."""
    once = list(dict.fromkeys(names))
    return {
        "styles": [name for name in once if (STYLES / f"{name}.css").is_file()],
        "worded": [name for name in once if (TEMPLATES / "figures" / f"{name}.html").is_file()],
    }
