"""Lessons: Markdown with front matter, and in it views, formulas, code and exercises.

A lesson is `frontend/lessons/<slug>/<language>.md`. Its front matter has `title`, `question`,
`minutes`, and where a part of the course begins, the name of that `part`. Beside plain Markdown it
holds

    $h_t$ and $$ ... $$                     formulas (`formulas`)
    ```view NAME      YAML options         a live figure: a module of js/lesson/views/, placed here
    ```python         code                 runs in the tests, and prints what follows it:
    ```output         text                 what that code prints
    ```exercise KIND  YAML                 a question with a check

An exercise has `id`, `ask`, `hint`, `said` (what is said of a right answer), and by its kind

    number    answer, tolerance, unit; `solution`: code that prints the answer
    choice    options, answer (its number from 0): a prediction, to be made before it is run
    setting   view, value and at_least, at_most: what a view has to show for it to be done

and `wrong`, two answers that have to be refused. The answers stay on the server.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markupsafe import Markup
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from backend.formulas import mathml
from backend.i18n import LANGUAGES

FOLDER = Path(__file__).resolve().parent.parent / "frontend" / "lessons"
# Never more than plain values; in C where there is one, which is most of the time a lesson takes.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
COURSE = "course.yaml"  # the slugs in their order
VIEWS = FOLDER.parent / "views.yaml"  # a name and options each
ABOUT = ("title", "question", "minutes")
VIEW = ("id", "caption")  # of every view, beside its own options
NEEDED = {
    "number": {"answer", "tolerance", "solution"},
    "choice": {"options", "answer"},
    "setting": {"view", "value"},
}
ALLOWED = {
    "number": {"unit"},
    "choice": set(),
    "setting": {"at_least", "at_most"},
}


class BadLesson(ValueError):
    """A lesson file that cannot be read, and why."""


@dataclass
class View:
    """A live figure."""

    id: str
    name: str
    options: dict


@dataclass
class Exercise:
    """A question with a check."""

    id: str
    kind: str
    about: dict

    def right(self, answer) -> bool:
        """Whether an answer is right. Raises ValueError for one that is none."""
        if self.kind == "number":
            if type(answer) not in (int, float):
                raise ValueError("the answer to this exercise is a number")
            return abs(answer - self.about["answer"]) <= self.about["tolerance"]
        if self.kind == "choice":
            if type(answer) is not int or not 0 <= answer < len(self.about["options"]):
                raise ValueError("the answer to this exercise is the number of an option")
            return answer == self.about["answer"]
        if type(answer) not in (int, float):
            raise ValueError("the answer to this exercise is what its figure shows, a number")
        low, high = self.about.get("at_least"), self.about.get("at_most")
        return (low is None or answer >= low) and (high is None or answer <= high)


@dataclass
class Lesson:
    """A lesson in one language."""

    slug: str
    language: str
    about: dict
    html: Markup = field(repr=False)
    views: list[View] = field(default_factory=list)
    exercises: list[Exercise] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)  # in lines of their own
    inline: list[str] = field(default_factory=list)  # in the text
    codes: list[tuple[str, str]] = field(default_factory=list)  # and what each prints

    @property
    def title(self) -> str:
        return self.about["title"]


def slugs(folder: Path = FOLDER) -> list[str]:
    """The course: the lessons in their order."""
    course = folder / COURSE
    return yaml.load(course.read_text("utf-8"), LOADER) if course.is_file() else []


def lesson(slug: str, language: str, folder: Path = FOLDER) -> Lesson:
    """A lesson, read again only when its file has changed. Raises `BadLesson`."""
    path = folder / slug / f"{language}.md"
    return _read(path, slug, language, path.stat().st_mtime_ns)


def course(language: str, folder: Path = FOLDER) -> list[Lesson]:
    """All lessons of a language, in their order."""
    return [lesson(slug, language, folder) for slug in slugs(folder)]


def every_view(path: Path = VIEWS) -> list[View]:
    """The views with fixed inputs that the page of all of them shows; ids are name and number."""
    count: dict[str, int] = {}
    found = []
    for entry in yaml.load(path.read_text("utf-8"), LOADER):
        name = entry["name"]
        count[name] = count.get(name, 0) + 1
        found.append(View(f"{name}-{count[name]}", name, entry.get("options") or {}))
    return found


@lru_cache(128)
def _read(path: Path, slug: str, language: str, changed: int) -> Lesson:
    found = Lesson(slug, language, {}, Markup(""))
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.use(front_matter_plugin).use(anchors_plugin, max_level=3)
    markdown.use(
        dollarmath_plugin,
        allow_space=False,
        allow_digits=False,
        double_inline=False,
        renderer=lambda tex, options: _formula(found, tex, options["display_mode"]),
    )
    markdown.add_render_rule("fence", _fence)
    tokens = markdown.parse(path.read_text("utf-8"))
    if not tokens or tokens[0].type != "front_matter":
        raise BadLesson(f"{path}: begins with no front matter")
    found.about = _mapping(tokens[0].content, path)
    for name in ABOUT:
        if not found.about.get(name):
            raise BadLesson(f"{path}: the front matter has no {name}")
    found.html = Markup(markdown.renderer.render(tokens, markdown.options, {"lesson": found}))
    ids = [one.id for one in (*found.views, *found.exercises)]
    twice = {id for id in ids if ids.count(id) > 1}
    if twice:
        raise BadLesson(f"{path}: more than one has the id {', '.join(sorted(twice))}")
    for exercise in found.exercises:
        if exercise.kind == "setting" and exercise.about["view"] not in ids:
            raise BadLesson(f"{path}: {exercise.id} watches no view {exercise.about['view']!r}")
    return found


def _formula(lesson: Lesson, tex: str, display: bool) -> str:
    (lesson.formulas if display else lesson.inline).append(tex.strip())
    return mathml(tex.strip(), display)


def _mapping(text: str, where) -> dict:
    try:
        found = yaml.load(text, LOADER)
    except yaml.YAMLError as error:
        raise BadLesson(f"{where}: {error}") from error
    if not isinstance(found, dict):
        raise BadLesson(f"{where}: expected names with values, found {found!r:.60}")
    return found


def _fence(self: RendererHTML, tokens, index, options, env) -> str:
    """A fenced block by the first word behind its fence."""
    token, lesson = tokens[index], env["lesson"]
    kind, _, rest = token.info.strip().partition(" ")
    if kind == "view":
        return _view(lesson, rest.strip(), _mapping(token.content, f"{lesson.slug}: view {rest}"))
    if kind == "exercise":
        return _exercise(lesson, rest.strip(), _mapping(token.content, f"{lesson.slug}: exercise"))
    if kind == "python":
        lesson.codes.append((token.content, ""))
        return f'<pre class="code" tabindex="0"><code>{escape(token.content)}</code></pre>\n'
    if kind == "output":
        if not lesson.codes or lesson.codes[-1][1]:
            raise BadLesson(f"{lesson.slug}: output that no code before it prints")
        lesson.codes[-1] = (lesson.codes[-1][0], token.content)
        return f'<pre class="output"><samp>{escape(token.content)}</samp></pre>\n'
    return f'<pre class="plain"><code>{escape(token.content)}</code></pre>\n'


def _words(lesson: Lesson) -> MarkdownIt:
    """Markdown with formulas, for captions and exercises."""
    return MarkdownIt("commonmark", {"html": False}).use(
        dollarmath_plugin,
        allow_space=False,
        renderer=lambda tex, options: _formula(lesson, tex, options["display_mode"]),
    )


def _view(lesson: Lesson, name: str, options: dict) -> str:
    if not name.replace("-", "").isalnum() or not all(options.get(x) for x in VIEW):
        raise BadLesson(f"{lesson.slug}: a view needs a name, an id and a caption")
    id, caption = options.pop("id"), options.pop("caption")
    lesson.views.append(View(id, name, options))
    told = escape(json.dumps(options, ensure_ascii=False), quote=True)
    said = _words(lesson).renderInline(caption)
    return (
        f'<figure class="live" id="{escape(id)}" data-place data-view="{escape(name)}" '
        f'data-options="{told}">'
        f'<div class="live-stage"></div><figcaption>{said}</figcaption></figure>\n'
    )


def _exercise(lesson: Lesson, kind: str, about: dict) -> str:
    needed = NEEDED.get(kind)
    if needed is None:
        raise BadLesson(f"{lesson.slug}: an exercise is {', '.join(NEEDED)}, not {kind!r}")
    needed = needed | {"id", "ask", "hint", "said", "wrong"}
    missing = needed - about.keys()
    strange = about.keys() - needed - ALLOWED[kind]
    if missing or strange:
        raise BadLesson(
            f"{lesson.slug}: exercise {about.get('id', '')} lacks {sorted(missing)} "
            f"and has {sorted(strange)} that nobody reads"
        )
    lesson.exercises.append(Exercise(about["id"], kind, about))
    render = _words(lesson)
    shown = {"id": about["id"], "kind": kind, "unit": about.get("unit", "")}
    if kind == "choice":
        shown["options"] = [render.renderInline(str(option)) for option in about["options"]]
    if kind == "setting":
        shown |= {"view": about["view"], "value": about["value"]}
    told = escape(json.dumps(shown, ensure_ascii=False), quote=True)
    return (
        f'<section class="exercise" id="{escape(about["id"])}" data-place data-exercise="{told}">'
        f'<div class="ask">{render.render(about["ask"])}</div>'
        f'<details class="hint"><summary></summary>{render.render(about["hint"])}</details>'
        "</section>\n"
    )


def parallel(slug: str, folder: Path = FOLDER) -> list[str]:
    """In what the languages of a lesson differ that they should not; [] where they are equal."""
    first, *others = (lesson(slug, language, folder) for language in LANGUAGES)
    found = []
    for other in others:
        pairs = {
            "views": ([(v.id, v.name) for v in first.views], [(v.id, v.name) for v in other.views]),
            "exercises": (
                [(e.id, e.kind, e.about.get("answer")) for e in first.exercises],
                [(e.id, e.kind, e.about.get("answer")) for e in other.exercises],
            ),
            "formulas": (first.formulas, other.formulas),
            # In the text their order is that of the language's words.
            "formulas in the text": (sorted(first.inline), sorted(other.inline)),
            "codes": (len(first.codes), len(other.codes)),
            "parts": ("part" in first.about, "part" in other.about),
        }
        found += [f"{what}: {a} and {b}" for what, (a, b) in pairs.items() if a != b]
    return found
