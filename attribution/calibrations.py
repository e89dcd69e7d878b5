"""The coefficients by which resemblance is weighed, and which of them a method uses.

Owns the published numbers; how they are fitted is ``similarity.calibrate``. They were fitted to
outputs of known origin drawn from chapters of the King James Bible (in its own words, in those of
the American Standard Version, damaged, and mixed) and to strangers from unregistered books, with a
false-payment budget of 50,000 ppm, over exactly what ``attribution.resemblance`` finds: passages cut
without regard to chapters, and only works that stand out or are repeated. The CALIBRATIONs beside
the methods were fitted with every work as a candidate, so they are not used here. Other texts,
languages and generators need their own.
"""

from attribution.methods import bm25
from attribution.methods.similarity import Calibration

SPACE = f"text/bm25-{bm25.VERSION}+coverage/1"

SIMILARITY = Calibration(
    space=SPACE, cosine=0, bm25=15_323_762, coverage=1_082_553, outside=687_372
)
CASCADE = Calibration(space=SPACE, cosine=0, bm25=17_026_846, coverage=791_420, outside=1_940_949)
"""Fitted to what ``verbatim`` leaves, so that both stages together keep to the budget."""
