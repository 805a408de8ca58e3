import re

import pytest

from backend.formulas import BORROWED, BadFormula, mathml


def test_a_formula_becomes_mathml():
    found = mathml(r"h_t = \tanh(W h_{t-1} + b)")
    assert found.startswith("<math>")
    assert "<msub><mi>h</mi><mi>t</mi></msub>" in found
    assert 'display="block"' in mathml("x", display=True)


@pytest.mark.parametrize("letter", BORROWED)
def test_a_quantity_gets_the_class_of_its_colour_and_no_inline_colour(letter):
    found = mathml(rf"\q{{{letter}}}{{x_t}} + y")
    assert f'class="q q-{letter}"' in found
    assert "color:" not in found


def test_quantities_do_not_share_a_class():
    assert len(set(BORROWED.values())) == len(BORROWED)
    classes = {re.search('class="([^"]*)"', mathml(rf"\q{{{x}}}{{x}}"))[1] for x in BORROWED}
    assert len(classes) == len(BORROWED)


@pytest.mark.parametrize("tex", [r"\foo", r"\frac{1}", "x_", r"\left( x", r"\begin{aligned} x"])
def test_a_formula_that_cannot_be_set_is_refused_with_its_text(tex):
    with pytest.raises(BadFormula, match=re.escape(tex)) as error:
        mathml(tex)
    assert "\x1b" not in str(error.value)


def test_a_quantity_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(BadFormula, match="is no quantity; h, c"):
        mathml(r"\q{w}{W}")
