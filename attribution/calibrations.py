"""The coefficients by which resemblance is weighed, and which of them a method uses.

Owns the published numbers; how they are fitted is ``methods.calibrating``'s. They were fitted to
outputs of known origin drawn from chapters of the King James Bible (in its own words, in those of
the American Standard Version, damaged, and mixed) and to strangers from unregistered books, with a
false-payment budget of BUDGET_PPM, over exactly what ``attribution.resemblance`` finds:
``make bench NAME=attribution`` fits them again. Other texts, languages and generators need their
own.
"""

from attribution.methods import bm25
from attribution.methods.similarity import Calibration

SPACE = f"text/bm25-{bm25.VERSION}+coverage/2"

BUDGET_PPM = 50_000
"""What outputs of strangers may be paid on average, in the calibration and on the bar."""

SIMILARITY = Calibration(
    space=SPACE, cosine=0, bm25=34_079_688, coverage=1_987_238, outside=-666_678
)
CASCADE = Calibration(space=SPACE, cosine=0, bm25=40_365_040, coverage=1_733_342, outside=1_363_390)
"""Fitted to what ``verbatim`` leaves, so that both stages together keep to the budget."""
