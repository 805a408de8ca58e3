"""The lesson engine, on lessons made here; the course itself is tested in tests/lessons."""

import os

import pytest

from backend.lessons import BadLesson, course, lesson, parallel, slugs

HEAD = "---\ntitle: A cell\nquestion: What is kept?\nminutes: 7\n---\n"
NUMBER = """
```exercise number
id: one
ask: How much is $1 + 1$?
answer: 2
tolerance: 0.01
solution: print(1 + 1)
hint: Count.
said: So it is.
wrong: [1, 3]
```
"""
VIEW = "```view states\nid: fig\ncaption: Look at *this*.\ntext: \"a 'b' <c>\"\n```\n"


@pytest.fixture
def write(tmp_path):
    def write(text: str, language: str = "en", slug: str = "cell"):
        path = tmp_path / slug / f"{language}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return tmp_path

    return write


def test_a_lesson_holds_its_views_exercises_formulas_and_code(write):
    code = "```python\nprint(3)\n```\n\n```output\n3\n```\n"
    found = lesson(
        "cell", "en", write(f"{HEAD}\nLet $h_t$ be\n\n$$\nx = 1\n$$\n\n{VIEW}{code}{NUMBER}")
    )
    assert found.title == "A cell"
    assert [(v.id, v.name, v.options) for v in found.views] == [
        ("fig", "states", {"text": "a 'b' <c>"})
    ]
    assert [(e.id, e.kind) for e in found.exercises] == [("one", "number")]
    assert found.formulas == ["x = 1"]
    assert found.inline == ["h_t", "1 + 1"]
    assert found.codes == [("print(3)\n", "3\n")]


def test_options_of_a_view_come_through_as_they_were_written(write):
    html = lesson("cell", "en", write(HEAD + VIEW)).html
    assert 'data-options="{&quot;text&quot;: &quot;a &#x27;b&#x27; &lt;c&gt;&quot;}"' in html
    assert "<em>this</em>" in html


def test_the_answer_of_an_exercise_is_not_on_the_page(write):
    text = NUMBER.replace("answer: 2", "answer: 31415")
    html = lesson("cell", "en", write(HEAD + text)).html
    assert "31415" not in html
    assert "So it is" not in html


def test_html_in_a_lesson_is_text(write):
    html = lesson("cell", "en", write(f"{HEAD}\n<script>x</script> and <b>bold</b>")).html
    assert "<script" not in html
    assert "&lt;b&gt;" in html


def test_a_changed_file_is_read_again(write):
    folder = write(f"{HEAD}\nbefore")
    assert "before" in lesson("cell", "en", folder).html
    write(f"{HEAD}\nafter")
    path = folder / "cell" / "en.md"
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert "after" in lesson("cell", "en", folder).html


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("no front matter", "front matter"),
        ("---\ntitle: A\n---\n", "question"),
        ("---\n- a\n---\n", "names with values"),
        (HEAD + "```view states\ncaption: x\n```", "an id"),
        (HEAD + "```view\nid: a\ncaption: x\n```", "a name"),
        (HEAD + "```view ../x\nid: a\ncaption: x\n```", "a name"),
        (HEAD + "```exercise riddle\nid: a\n```", "number, choice, setting"),
        (HEAD + NUMBER.replace("hint: Count.\n", ""), "hint"),
        (HEAD + NUMBER.replace("hint:", "colour: red\nhint:"), "colour"),
        (HEAD + NUMBER + NUMBER, "more than one"),
        (HEAD + "```output\n3\n```", "no code before"),
    ],
)
def test_a_lesson_that_cannot_be_read_says_why(write, text, word):
    with pytest.raises(BadLesson, match=word):
        lesson("cell", "en", write(text))


SETTING = """
```exercise setting
id: low
ask: Get below 0.1.
view: fig
value: loss
at_most: 0.1
hint: Train longer.
said: Done.
wrong: [0.5, 1]
```
"""
CHOICE = """
```exercise choice
id: guess
ask: Which?
options: [this, "$x$"]
answer: 1
hint: The other.
said: Yes.
wrong: [0, 0]
```
"""


@pytest.mark.parametrize(
    ("text", "right", "wrong", "none"),
    [
        (NUMBER, [2, 2.009, 1.991], [2.02, -2, 1e9], ["2", None, True]),
        (CHOICE, [1], [0], [2, -1, 0.5, "1"]),
        (SETTING, [0.1, -3], [0.11], ["0", None]),
    ],
    ids=["number", "choice", "setting"],
)
def test_an_exercise_takes_what_is_right_and_nothing_else(write, text, right, wrong, none):
    exercise = lesson("cell", "en", write(HEAD + VIEW + text)).exercises[0]
    assert all(exercise.right(answer) for answer in right)
    assert not any(exercise.right(answer) for answer in wrong)
    for answer in none:
        with pytest.raises(ValueError, match="the answer to this exercise is"):
            exercise.right(answer)


def test_a_setting_watches_a_figure_of_its_lesson(write):
    with pytest.raises(BadLesson, match="watches no view 'fig'"):
        lesson("cell", "en", write(HEAD + SETTING))


def test_languages_are_parallel_where_views_exercises_and_formulas_are_the_same(write):
    write(f"{HEAD}\nLet $h$ be.\n{VIEW}{NUMBER}")
    folder = write(f"{HEAD}\nПусть $h$.\n{VIEW}{NUMBER}".replace("How much", "Сколько"), "ru")
    assert parallel("cell", folder) == []
    write(f"{HEAD}\nПусть $g$.\n{VIEW}", "ru", "cell")
    path = folder / "cell" / "ru.md"
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    assert [line.partition(":")[0] for line in parallel("cell", folder)] == [
        "exercises",
        "formulas in the text",
    ]


def test_the_course_is_the_lessons_in_the_order_of_their_list(write, tmp_path):
    for slug in ("b", "a"):
        write(HEAD.replace("A cell", slug), slug=slug)
    assert course("en", tmp_path) == []
    (tmp_path / "course.yaml").write_text("- b\n- a\n")
    assert slugs(tmp_path) == ["b", "a"]
    assert [one.title for one in course("en", tmp_path)] == ["b", "a"]
