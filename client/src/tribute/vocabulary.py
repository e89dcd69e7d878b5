"""Own the words that a registry and its clients share; attach no behaviour to them.

A statement keeps the ``VOCABULARY_VERSION`` it was made in. The purposes are aligned with the
usage categories under discussion in the IETF working group AIPREF.
"""

from enum import StrEnum

VOCABULARY_VERSION = "tribute/1"


class Purpose(StrEnum):
    """What somebody wants to use a work for.

    - ``train-ai``: train or fine-tune a generative model.
    - ``train-other``: train a model that does not generate content of the work's kind.
    - ``ai-input``: put the work before a model at the time of use (retrieval, grounding).
    - ``search``: build an index that leads people to the work where it was published.
    - ``data-mining``: analyse many works by machine for patterns, without training a model.
    """

    TRAIN_AI = "train-ai"
    TRAIN_OTHER = "train-other"
    AI_INPUT = "ai-input"
    SEARCH = "search"
    DATA_MINING = "data-mining"


class Decision(StrEnum):
    """What a statement, or a verdict, says about one purpose.

    - ``allow``: the use is allowed as it is.
    - ``deny``: the use is not allowed.
    - ``license``: the use is allowed to those who accept the terms, and to nobody else.
    - ``unknown``: nobody entitled has said anything; never a permission.
    """

    ALLOW = "allow"
    DENY = "deny"
    LICENSE = "license"
    UNKNOWN = "unknown"


class Medium(StrEnum):
    """What kind of thing a work is.

    - ``text``: written language.
    - ``image``: a still picture.
    - ``audio``: recorded sound.
    - ``video``: moving pictures.
    - ``code``: the source of programs.
    - ``other``: anything else that is a sequence of bytes.
    """

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    CODE = "code"
    OTHER = "other"


class IdentifierKind(StrEnum):
    """How a work or a collection is recognised.

    - ``url``: one address, with its query.
    - ``path``: every address that begins with this one, which ends in ``/``.
    - ``host``: every address on this host (a port may narrow it).
    - ``domain``: every address on this host and on the hosts below it.
    - ``sha256``: exactly these bytes.
    - ``iscc``: content like this (ISO 24138), near-copies included.
    """

    URL = "url"
    PATH = "path"
    HOST = "host"
    DOMAIN = "domain"
    SHA256 = "sha256"
    ISCC = "iscc"
