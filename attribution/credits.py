"""The credit lines shown beside an output.

Owns their wording and markup. They name the works that the answer repeats or, by the model's
method, draws on, whoever was paid; titles and names are other people's text and are escaped for where they go.
"""

import json
from dataclasses import dataclass

from django.conf import settings
from django.utils.html import escape

from attribution.errors import NotSettled
from attribution.models import Contribution, Query

PPM = 1_000_000
_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Unicode's embeddings, overrides and isolates of direction."""

TRAINED_ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@dataclass(frozen=True, slots=True)
class Credit:
    """One work to name: ``share_ppm`` of the answer, by all its owners in order of their part."""

    work_id: str
    title: str
    creators: tuple[str, ...]
    share_ppm: int


@dataclass(frozen=True, slots=True)
class Credits:
    """Credit lines, the largest share first, ready in four forms.

    c2pa: a manifest definition with ingredients; ``attribution.content_credentials`` signs it, or
    whoever else holds a key.
    """

    lines: tuple[Credit, ...]
    text: str
    html: str
    json_ld: dict[str, object]
    c2pa: dict[str, object]


def credit(query: Query) -> Credits:
    """Return the credits of a settled query. Raises NotSettled before that."""
    if query.state != Query.State.SETTLED or query.weight is None:
        raise NotSettled(f"{query.pk} is {query.state}; credits come with settlement")
    lines = _lines(query, whole=query.weight)
    return Credits(
        lines,
        text=_text(lines),
        html=_html(lines),
        json_ld=_json_ld(query, lines),
        c2pa=_c2pa(query, lines),
    )


def _lines(query: Query, *, whole: int) -> tuple[Credit, ...]:
    rows = Contribution.objects.filter(query=query, work__isnull=False)
    rows = rows.select_related("work", "creator").order_by("-weight", "creator_id")
    by_work: dict[str, list[Contribution]] = {}
    for row in rows:
        by_work.setdefault(str(row.work_id), []).append(row)
    found = [
        Credit(
            work,
            _in_order(parts[0].work.title) if parts[0].work else "",
            tuple(_in_order(part.creator.display_name) for part in parts if part.creator),
            sum(part.weight for part in parts) * PPM // whole,
        )
        for work, parts in by_work.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.share_ppm, each.work_id)))


def address(work_id: str) -> str:
    """Return where anyone can look the work up."""
    return f"{settings.PUBLIC_URL}/works/{work_id}"


def percent(ppm: int) -> str:
    """Write a share with one decimal, rounded down, so that shares never seem to exceed a whole."""
    tenths = ppm * 1_000 // PPM
    return f"{tenths // 10}.{tenths % 10} %"


def _text(lines: tuple[Credit, ...]) -> str:
    return "\n".join(
        f"“{_one_line(each.title)}” by {_one_line(_and(each.creators))} "
        f"({percent(each.share_ppm)}), {address(each.work_id)}"
        for each in lines
    )


def _html(lines: tuple[Credit, ...]) -> str:
    items = "".join(
        f'<li><a href="{escape(address(each.work_id))}"><cite>{escape(each.title)}</cite></a> '
        f"by {escape(_and(each.creators))} ({percent(each.share_ppm)})</li>"
        for each in lines
    )
    return f'<ul class="tribute-credits">{items}</ul>' if items else ""


def _json_ld(query: Query, lines: tuple[Credit, ...]) -> dict[str, object]:
    """Write schema.org's terms: the answer is based on works, each with its creators."""
    return {
        "@context": "https://schema.org",
        "@type": "CreativeWork",
        "identifier": query.pk,
        "isBasedOn": [
            {
                "@type": "CreativeWork",
                "@id": address(each.work_id),
                "identifier": each.work_id,
                "name": each.title,
                "creator": [{"@type": "Person", "name": name} for name in each.creators],
            }
            for each in lines
        ],
    }


def _c2pa(query: Query, lines: tuple[Credit, ...]) -> dict[str, object]:
    """Write a manifest definition, as C2PA tools take it, that lists the works as ingredients.

    What is repeated word for word is part of the answer (``componentOf``); what is only resembled
    or scored was, as far as anyone can say, an input of the model (``inputTo``).
    """
    repeated = set(
        Contribution.objects.filter(query=query, words__gt=0).values_list("work_id", flat=True)
    )
    return {
        "claim_generator_info": [{"name": "Tribute"}],
        "title": query.pk,
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        {"action": "c2pa.created", "digitalSourceType": TRAINED_ALGORITHMIC_MEDIA}
                    ]
                },
            }
        ],
        "ingredients": [
            {
                "title": each.title,
                "format": "text/plain",
                "document_id": each.work_id,
                "instance_id": f"{query.pk}:{each.work_id}",
                "relationship": "componentOf" if each.work_id in repeated else "inputTo",
                "informational_URI": address(each.work_id),
                "description": f"by {_and(each.creators)}",
            }
            for each in lines
        ],
    }


def json_ld_script(credits_: Credits) -> str:
    """Return the JSON-LD as a script element that no title can break out of."""
    text = json.dumps(credits_.json_ld, ensure_ascii=False)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/ld+json">{safe}</script>'


def _and(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _in_order(text: str) -> str:
    """Leave out what turns the direction of text around: a title must not rearrange the next one."""
    return text.translate(_TURNS)


def _one_line(text: str) -> str:
    return " ".join(text.split())
