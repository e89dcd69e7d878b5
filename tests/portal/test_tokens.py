"""The colours of both themes: every pair of text and ground the pages use can be read."""

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "portal" / "static" / "portal" / "css"
TOKENS = (CSS / "tokens.css").read_text()
GROUNDS = ["paper", "card", "well"]
TINTS = ["accent", "allow", "deny", "license", "unknown"]
PAIRS = (
    [(text, ground) for text in ("ink", "muted", *TINTS) for ground in GROUNDS]
    + [(tone, f"{tone}-tint") for tone in TINTS]
    + [(text, f"{tone}-tint") for text in ("ink", "muted", "accent") for tone in TINTS]
    + [("accent-ink", "accent"), ("accent-ink", "accent-strong"), ("accent-strong", "paper")]
)


def theme(selector: str) -> dict[str, str]:
    """Return the colours that the first rule with this selector sets."""
    block = TOKENS[TOKENS.index(selector) :]
    block = block[block.index("{") + 1 : block.index("}")]
    return dict(re.findall(r"--([a-z-]+): (#[0-9A-F]{6});", block))


LIGHT, DARK = theme(":root {"), theme(':root[data-theme="dark"]')


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio after WCAG 2.2, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_is_readable_on_its_ground(text: str, ground: str, colours: dict[str, str]) -> None:
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_the_edges_of_fields_are_seen(ground: str, colours: dict[str, str]) -> None:
    assert contrast(colours["edge"], colours[ground]) >= 3


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == 21
    assert round(contrast("#767676", "#FFFFFF"), 2) == 4.54


def test_the_dark_theme_is_the_same_by_choice_and_by_system() -> None:
    assert theme(':root:not([data-theme="light"])') == DARK
    assert DARK.keys() == LIGHT.keys()


def test_no_other_sheet_names_a_colour_of_its_own() -> None:
    allowed = {"print.css": {"#FFFFFF", "#000000", "#444444"}, "parts.css": {"#FFFFFF"}}
    for sheet in CSS.glob("*.css"):
        if sheet.name != "tokens.css":
            named = set(re.findall(r"#[0-9A-Fa-f]{3,8}\b", sheet.read_text()))
            assert named <= allowed.get(sheet.name, set()), sheet.name
