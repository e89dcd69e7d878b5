"""Read an uploaded file once: its fingerprints, and for a text its features. Nothing is kept."""

from dataclasses import dataclass

from django.core.files.uploadedfile import UploadedFile

from tribute.features import Features, reduce
from tribute.fingerprints import Fingerprint, fingerprint
from tribute.vocabulary import Medium

TEXT_MEDIA = (Medium.TEXT, Medium.CODE)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says about a work."""

    fingerprint: Fingerprint
    features: Features | None


def read(file: UploadedFile, medium: Medium) -> Reading:
    """Return a file's fingerprints. Raises tribute.fingerprints.InvalidWork."""
    stream = file.file
    assert stream is not None, "Django opens what it received"
    stream.seek(0)
    taken = fingerprint(stream, medium)
    if medium not in TEXT_MEDIA:
        return Reading(taken, None)
    stream.seek(0)
    return Reading(taken, reduce(stream.read().decode("utf-8", errors="replace")))
