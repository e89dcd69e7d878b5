"""Find TDM reservations inside content: HTML pages, EPUB packages and PDF metadata.

Source: TDMRep, sections on HTML, EPUB 2, EPUB 3 and PDF. The containers are opened by ``epub`` and
``xmp``.
"""

from collections.abc import Sequence

from tribute.standards.epub import Packages
from tribute.standards.markup import Page
from tribute.standards.safe_xml import Element
from tribute.standards.statement import Problem
from tribute.standards.tdmrep import EMBEDDED_LAYER, Reservation, read_texts
from tribute.standards.xmp import Xmp

_Found = tuple[Reservation | None, tuple[Problem, ...]]

_EPUB_NAMESPACE = "http://www.w3.org/ns/tdmrep#"
_XMP_NAMESPACES = ("http://www.w3.org/ns/tdmrep/", "http://www.w3.org/ns/tdmrep#")
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def from_page(page: Page, *, source: str = "page") -> _Found:
    """Read ``<meta name="tdm-reservation">`` and ``tdm-policy``."""
    metas = page.named("tdm-reservation") + page.named("tdm-policy")
    if not metas:
        return None, ()
    return read_texts(
        [meta.content for meta in page.named("tdm-reservation")],
        [meta.content for meta in page.named("tdm-policy") if meta.content],
        source=f"{source}:{metas[0].line}",
        raw="; ".join(f"{meta.name}: {meta.content}" for meta in metas),
        layer=EMBEDDED_LAYER,
    )


def from_packages(found: Packages, *, source: str = "epub") -> _Found:
    """Read package documents' metadata, in the form of EPUB 2 or of EPUB 3; the strictest counts."""
    fields = [field for path, root in found.documents for field in _package_fields(path, root)]
    reservation, problems = _from_fields(fields, source)
    return reservation, (*found.problems, *problems)


def from_xmp(found: Xmp, *, source: str = "pdf") -> _Found:
    """Read ``tdm:reservation`` from XMP packets, of which the strictest counts."""
    fields = [field for place, root in found.packets for field in _xmp_fields(root, place)]
    reservation, problems = _from_fields(fields, source)
    return reservation, (*found.problems, *problems)


def _package_fields(path: str, package: Element) -> list[tuple[str, str, str]]:
    prefixes = _prefixes(package.attributes.get("prefix", ""))
    fields = []
    for meta in package.descendants():
        if meta.name != "meta":
            continue
        place = f"{path}:{meta.line}"
        if "property" in meta.attributes:
            prefix, _, term = meta.attributes["property"].strip().partition(":")
            if prefixes.get(prefix) == _EPUB_NAMESPACE:
                fields.append((term, meta.text.strip(), place))
        elif meta.attributes.get("name", "").strip().startswith("tdm:"):
            term = meta.attributes["name"].strip().removeprefix("tdm:")
            fields.append((term, meta.attributes.get("content", "").strip(), place))
    return fields


def _prefixes(declared: str) -> dict[str, str]:
    """Read ``prefix="tdm: http://… other: http://…"`` (EPUB 3.3, appendix D.1.4).

    ``tdm`` means TDMRep even when a package forgot to declare it.
    """
    words = declared.split()
    pairs = zip(words[::2], words[1::2], strict=False)
    return {"tdm": _EPUB_NAMESPACE} | {name.rstrip(":"): uri for name, uri in pairs}


def _xmp_fields(root: Element, place: str) -> list[tuple[str, str, str]]:
    """Collect properties written as elements or as attributes of ``rdf:Description``."""
    fields = []
    for element in root.descendants():
        if element.namespace in _XMP_NAMESPACES:
            fields.append((element.name, element.text.strip(), place))
        if element.tag == f"{{{_RDF}}}Description":
            for name, value in element.attributes.items():
                namespace, _, term = name.removeprefix("{").rpartition("}")
                if namespace in _XMP_NAMESPACES:
                    fields.append((term, value.strip(), place))
    return fields


def _from_fields(fields: Sequence[tuple[str, str, str]], source: str) -> _Found:
    ours = [field for field in fields if field[0] in {"reservation", "policy"}]
    if not ours:
        return None, ()
    return read_texts(
        [text for term, text, _ in ours if term == "reservation"],
        [text for term, text, _ in ours if term == "policy" and text],
        source=f"{source}:{ours[0][2]}" if not ours[0][2].startswith(source) else ours[0][2],
        raw="; ".join(f"tdm:{term}: {text}" for term, text, _ in ours),
        layer=EMBEDDED_LAYER,
    )
