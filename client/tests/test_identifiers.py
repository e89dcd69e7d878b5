import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.identifiers import (
    InvalidIdentifier,
    Key,
    candidate_keys,
    canonical_host,
    canonical_url,
    key_of,
)
from tribute.vocabulary import IdentifierKind

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors" / "ckey1.json").read_text("utf-8")
)
TAGS = {"domain": 1, "path": 2, "url": 3, "host": 4, "sha256": 5, "iscc": 6}

LABELS = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True).filter(lambda label: label != "www")
HOSTS = st.lists(LABELS, min_size=2, max_size=5).map(".".join)
SEGMENTS = st.text("abcXYZ019-_~!$&'()*+,;=:@é{%", max_size=6).map(
    lambda text: text.replace("%", "%2F")
)
PATHS = st.lists(SEGMENTS, max_size=5).map(lambda segments: "/" + "/".join(segments))
QUERIES = st.one_of(st.just(""), st.text("abc=&é' /?", min_size=1, max_size=8).map("?{}=".format))
URLISH = st.one_of(
    st.text(),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["http://", "https://", "HTTP:", "https:\\\\", "http:///u:p@"]),
        st.one_of(
            st.sampled_from(
                ["www.", "[::1]", "1.2", "xn--", "faß.de", "a.b.", "%e2%98%95.x", "א.b"]
            ),
            st.text(max_size=12),
        ),
        st.sampled_from(["", ":80", ":0443", ":8080", ":", ":99999", "."]),
        st.text(st.sampled_from("/\\.%2eEfF?#ab'é{[ \x00\t\ud800:@;^|") | st.characters()),
    ),
)


@pytest.mark.parametrize("vector", VECTORS["keys"], ids=lambda v: f"{v['kind']}:{v['raw']}")
def test_key_of_agrees_with_the_published_vectors(vector: dict[str, str]) -> None:
    kind = IdentifierKind(vector["kind"])

    assert key_of(kind, vector["raw"]) == Key(
        kind, vector["canonical"], bytes.fromhex(vector["digest"])
    )


@pytest.mark.parametrize("vector", VECTORS["keys"], ids=lambda v: f"{v['kind']}:{v['raw']}")
def test_digest_is_reproduced_with_nothing_but_sha256(vector: dict[str, str]) -> None:
    message = bytes([TAGS[vector["kind"]]]) + vector["canonical"].encode()

    assert hashlib.sha256(message).hexdigest() == vector["digest"]


@pytest.mark.parametrize(
    "vector", VECTORS["invalid"], ids=lambda v: f"{v['kind']}:{v['raw'][:40]!a}"
)
def test_key_of_refuses_the_published_invalid_identifiers(vector: dict[str, str]) -> None:
    with pytest.raises(InvalidIdentifier):
        key_of(IdentifierKind(vector["kind"]), vector["raw"])


@pytest.mark.parametrize("vector", VECTORS["candidates"], ids=lambda v: v["url"][:60])
def test_candidate_keys_come_in_the_published_order(vector: dict[str, Any]) -> None:
    keys = candidate_keys(vector["url"])

    assert [f"{key.kind}:{key.canonical}" for key in keys] == vector["keys"]


def test_key_of_refuses_lone_surrogates() -> None:
    with pytest.raises(InvalidIdentifier):
        canonical_url("https://example.com/\ud800")


@given(URLISH)
def test_canonical_url_is_idempotent_and_raises_nothing_but_invalid_identifier(raw: str) -> None:
    try:
        canonical = canonical_url(raw)
    except InvalidIdentifier:
        return
    assert canonical.isascii()
    assert canonical_url(f"https://{canonical}") == canonical
    assert canonical_url(f"http://{canonical}") == canonical


@given(st.text() | HOSTS, st.sampled_from(IdentifierKind))
def test_key_of_raises_nothing_but_invalid_identifier(raw: str, kind: IdentifierKind) -> None:
    try:
        key = key_of(kind, raw)
    except InvalidIdentifier:
        return
    assert len(key.digest) == 32


@given(HOSTS, PATHS, QUERIES)
def test_harmless_variants_of_a_url_have_one_key(host: str, path: str, query: str) -> None:
    key = key_of(IdentifierKind.URL, f"https://{host}{path}{query}")

    for variant in (
        f"http://{host}{path}{query}",
        f"HTTPS://{host.upper()}{path}{query}",
        f"https://www.{host}{path}{query}",
        f"https://{host}:443{path}{query}",
        f"http://{host}:80{path}{query}",
        f"https://{host}.{path}{query}",
        f"https://{host}{path}{query}#part",
        f"https://ada:secret@{host}{path}{query}",
        f"https://{host}/x/..{path}{query}",
        f"https://{host}/%2e{path}{query}",
        f"https://{host}{path.replace('a', '%61')}{query.replace('b', '%62')}",
        f"https://{host}{path.replace('%2F', '%2f')}{query}",
    ):
        assert key_of(IdentifierKind.URL, variant) == key


@given(HOSTS, PATHS, QUERIES)
def test_candidate_keys_hold_what_a_url_lies_below(host: str, path: str, query: str) -> None:
    url = f"https://{host}{path}{query}"
    directory = url[: url.index("/", len("https://")) + path.rindex("/") + 1]

    candidates = candidate_keys(url)

    assert candidates[0] == key_of(IdentifierKind.URL, url)
    assert candidates[1] == key_of(IdentifierKind.PATH, directory)
    assert key_of(IdentifierKind.PATH, f"https://{host}/") in candidates
    assert key_of(IdentifierKind.HOST, host) in candidates
    assert key_of(IdentifierKind.DOMAIN, host) in candidates
    assert candidates[-1] == key_of(IdentifierKind.DOMAIN, ".".join(host.split(".")[-2:]))
    assert len(set(candidates)) == len(candidates)


def test_candidate_keys_try_the_host_with_and_without_its_port() -> None:
    hosts = [
        key.canonical
        for key in candidate_keys("https://example.com:8443/")
        if key.kind == IdentifierKind.HOST
    ]

    assert hosts == ["example.com:8443", "example.com"]


def test_keys_of_different_kinds_never_meet() -> None:
    host = key_of(IdentifierKind.HOST, "example.com")
    domain = key_of(IdentifierKind.DOMAIN, "example.com")

    assert host.canonical == domain.canonical
    assert host.digest != domain.digest


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("Example.COM", "example.com"),
        ("www.example.com.", "example.com"),
        ("bücher.example:8080", "xn--bcher-kva.example:8080"),
        ("127.1:80", "127.0.0.1"),
        ("[::0:1]", "[::1]"),
    ],
)
def test_canonical_host_reads_names_and_addresses(raw: str, canonical: str) -> None:
    assert canonical_host(raw) == canonical
