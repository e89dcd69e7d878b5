"""Control of a signing certificate, what it proves about works, and what it does not."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from attribution.certificates import Identity
from registry import checks, claims, consent, decision_index, reading, signers, works
from registry.checks import CheckItem
from registry.errors import NotSigned, SignerNotShown, SignerRegistered, SignerShared
from registry.models import Creator, LogOutbox, PastControl, Signer, Work, WorkSignature
from tests.factories import DAY, allow, make_creator, make_operator, make_user, make_work
from tests.registry.signing import drawing, make_identity, picture, sign, twin_of
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

pytestmark = pytest.mark.django_db

NOW = timezone.now()  # certificates are judged by the machine's clock as well
SOON = NOW + timedelta(hours=1)


@pytest.fixture
def ada() -> Creator:
    return make_creator("ada", verified=False)


@pytest.fixture
def identity() -> Identity:
    return make_identity(at=NOW - DAY)


def shown(creator: Creator, identity: Identity, *, at: Any = NOW) -> Signer:
    signer = signers.begin(creator, at=at)
    return signers.verify(signer, sign(identity, challenge=signers.challenge(signer)), at=at)


def register(creator: Creator, body: bytes, *, at: Any = SOON, **more: Any) -> Work:
    taken = reading.read(io.BytesIO(body), Medium.IMAGE, at=at)
    return works.register(
        creator,
        title="A picture",
        medium=Medium.IMAGE,
        identifiers=more.pop("identifiers", []),
        fingerprint=taken.fingerprint,
        signature=taken.signature,
        at=at,
        **more,
    )


def told(body: bytes, *, at: Any) -> str:
    """What a pipeline hears that asks about these very bytes."""
    acme = make_operator(f"acme{LogOutbox.objects.count()}")
    sha256 = reading.read(io.BytesIO(body), Medium.IMAGE, at=at).fingerprint.sha256
    asked = checks.check(acme, [CheckItem(sha256=sha256)], [Purpose.TRAIN_AI], at=at)
    assert decision_index.differences(at=at) == []
    return str(asked.results[0]["decisions"]["train-ai"]["decision"])


def leaves() -> list[dict[str, Any]]:
    rows = [json.loads(bytes(row.leaf)) for row in LogOutbox.objects.order_by("id")]
    return [leaf for leaf in rows if leaf["t"].startswith("control.")]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "tiff", "gif"])
def test_a_file_signed_for_the_challenge_shows_control(
    ada: Creator, identity: Identity, kind: str
) -> None:
    signer = signers.begin(ada, at=NOW)
    body = sign(identity, challenge=signers.challenge(signer), kind=kind)

    signers.verify(signer, body, at=NOW)

    assert (signer.control_proven_at, signer.recheck_at) == (NOW, NOW + 60 * DAY)
    assert signer.subject == "Content credentials, Ada"
    (leaf,) = leaves()
    assert (leaf["t"], leaf["signer"], leaf["method"]) == ("control.proven", signer.pk, "c2pa")
    assert leaf["evidence"] == bytes(signer.evidence_sha256 or b"").hex()


def test_a_proof_ends_with_its_certificate(ada: Creator) -> None:
    signer = shown(ada, make_identity(at=NOW - 800 * DAY))

    assert signer.valid_until is not None
    assert signer.recheck_at == signer.valid_until < NOW + 60 * DAY


def test_an_allow_counts_for_what_the_certificate_signed(ada: Creator, identity: Identity) -> None:
    body, unsigned = sign(identity), picture("blue")
    shown(ada, identity)

    allow(register(ada, body), at=SOON)
    allow(register(ada, unsigned), at=SOON)

    assert (told(body, at=SOON + DAY), told(unsigned, at=SOON + DAY)) == ("allow", "unknown")


def test_works_registered_before_count_from_the_proof_on(ada: Creator, identity: Identity) -> None:
    body = sign(identity)
    work = register(ada, body, at=NOW)
    allow(work, at=NOW)
    before = told(body, at=NOW)

    shown(ada, identity, at=SOON)

    assert (before, told(body, at=SOON)) == ("unknown", "allow")
    assert claims.proven([work.pk], at=SOON) == {work.pk}
    assert claims.proven([work.pk], at=NOW) == set()


def test_an_allow_counts_no_more_when_control_ends(ada: Creator, identity: Identity) -> None:
    body = sign(identity)
    work = register(ada, body, at=NOW)
    allow(work, at=NOW)
    signer = shown(ada, identity, at=SOON)
    due = SOON + 60 * DAY

    assert signers.end_due(at=due - DAY, limit=9) == 0
    assert told(body, at=due - DAY) == "allow"
    assert signers.end_due(at=due, limit=9) == 1

    signer.refresh_from_db()
    assert (signer.control_proven_at, signer.recheck_at) == (None, None)
    assert told(body, at=due) == "unknown"
    assert [leaf["t"] for leaf in leaves()] == ["control.proven", "control.ended"]
    past = PastControl.objects.get()
    assert (past.signer, past.proven_at, past.ended_at) == (signer, SOON, due)
    assert claims.proven([work.pk], at=due) == set()
    keys = decision_index.keys_of_works([work.pk])
    then = [
        s["proven"]
        for rows in decision_index.as_of(keys, due - DAY).values()
        for row in rows
        for s in row.statements
    ]
    assert set(then) == {True}


def test_shown_anew_in_time_a_proof_goes_on(ada: Creator, identity: Identity) -> None:
    first = shown(ada, identity)
    body = sign(identity, challenge=signers.challenge(first))

    again = signers.verify(first, body, at=NOW + 50 * DAY)

    assert (again.control_proven_at, again.recheck_at) == (NOW, NOW + 110 * DAY)


def test_a_creator_ends_what_is_used_no_more(ada: Creator, identity: Identity) -> None:
    body = sign(identity)
    allow(register(ada, body, at=NOW), at=NOW)
    signer = shown(ada, identity)

    signers.end(signer, at=SOON)
    signers.end(signer, at=SOON)

    assert told(body, at=SOON) == "unknown"
    assert len(leaves()) == 2
    signers.verify(signer, sign(identity, challenge=signers.challenge(signer)), at=SOON + DAY)
    assert told(body, at=SOON + DAY) == "allow"


def test_each_challenge_is_good_once(ada: Creator, identity: Identity) -> None:
    signer = signers.begin(ada, at=NOW)
    body = sign(identity, challenge=signers.challenge(signer))
    signers.verify(signer, body, at=NOW)

    with pytest.raises(SignerNotShown):
        signers.verify(signer, body, at=SOON)


def test_anothers_challenge_shows_nothing(ada: Creator, identity: Identity) -> None:
    adas = signers.begin(ada, at=NOW)
    mallorys = signers.begin(make_creator("mallory", verified=False), at=NOW)
    body = sign(identity, challenge=signers.challenge(adas))
    crossed = f"{mallorys.challenge_token}.{signers.challenge(adas).partition('.')[2]}"

    for replayed in (body, sign(identity, challenge=crossed)):
        with pytest.raises(SignerNotShown):
            signers.verify(mallorys, replayed, at=NOW)
    assert leaves() == []


def test_the_challenge_in_the_title_shows_nothing(ada: Creator, identity: Identity) -> None:
    """A service that signs for everybody lets strangers choose the title."""
    signer = signers.begin(ada, at=NOW)

    with pytest.raises(SignerNotShown, match="none"):
        signers.verify(signer, sign(identity, title=signers.challenge(signer)), at=NOW)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-20] + bytes([body[-20] ^ 1]) + body[-19:],
        lambda body: body.replace(b"A picture", b"A pickle."),
        lambda body: body[: len(body) // 2],
        lambda _body: picture(),
        lambda _body: b"",
        lambda _body: b"%PDF jumb",
    ],
)
def test_a_tampered_or_unsigned_file_shows_nothing(
    ada: Creator, identity: Identity, spoil: Any
) -> None:
    signer = signers.begin(ada, at=NOW)
    body = sign(identity, challenge=signers.challenge(signer))

    with pytest.raises(NotSigned):
        signers.verify(signer, spoil(body), at=NOW)
    assert leaves() == []


def test_a_manifest_that_lies_elsewhere_is_not_fetched(ada: Creator, identity: Identity) -> None:
    signer = signers.begin(ada, at=NOW)
    body = sign(
        identity, challenge=signers.challenge(signer), elsewhere="http://127.0.0.1:9/m.c2pa"
    )

    with pytest.raises(NotSigned):
        signers.verify(signer, body, at=NOW)
    assert register(ada, body).pk
    assert not WorkSignature.objects.exists()


def test_an_expired_certificate_shows_nothing(ada: Creator, identity: Identity) -> None:
    signer = signers.begin(ada, at=NOW)
    body = sign(identity, challenge=signers.challenge(signer))
    late = NOW + 900 * DAY

    with pytest.raises(NotSigned, match="not valid now"):
        signers.verify(signer, body, at=late)
    register(ada, body, at=late)
    assert not WorkSignature.objects.exists()


def test_a_certificate_of_the_same_name_and_number_is_another(
    ada: Creator, identity: Identity
) -> None:
    forged = twin_of(identity, at=NOW - DAY)
    signer = shown(ada, identity)
    body = sign(forged)

    work = register(ada, body)
    allow(work, at=SOON)

    assert WorkSignature.objects.get().work == work
    assert told(body, at=SOON) == "unknown"
    with pytest.raises(SignerRegistered, match="another certificate"):
        signers.verify(signer, sign(forged, challenge=signers.challenge(signer)), at=SOON)


def test_forging_a_certificate_does_not_prove_anothers_work(identity: Identity) -> None:
    """Mallory shows control of a certificate called as Ada's, and registers Ada's file."""
    mallory = make_creator("mallory", verified=False)
    shown(mallory, twin_of(identity, at=NOW - DAY))
    body = sign(identity)

    allow(register(mallory, body), at=SOON)

    assert told(body, at=SOON) == "unknown"


def test_a_certificate_that_two_can_use_speaks_for_neither(
    ada: Creator, identity: Identity
) -> None:
    body = sign(identity)
    allow(register(ada, body, at=NOW), at=NOW)
    adas = shown(ada, identity)
    ben = make_creator("ben", verified=False)

    with pytest.raises(SignerShared):
        shown(ben, identity, at=SOON)

    adas.refresh_from_db()
    assert adas.control_proven_at is None
    assert told(body, at=SOON) == "unknown"
    assert [leaf["t"] for leaf in leaves()] == ["control.proven", "control.ended"]


def test_the_same_certificate_twice_is_the_same_signer(ada: Creator, identity: Identity) -> None:
    first = shown(ada, identity)

    second = signers.begin(ada, at=SOON)
    assert signers.begin(ada, at=SOON) == second
    with pytest.raises(SignerRegistered, match=first.pk):
        signers.verify(second, sign(identity, challenge=signers.challenge(second)), at=SOON)


def test_a_signature_speaks_for_no_other_bytes(ada: Creator, identity: Identity) -> None:
    """Mallory would add the hash of somebody else's file to a work with a signed one."""
    shown(ada, identity)
    theirs = picture("green")
    other = reading.read(io.BytesIO(theirs), Medium.IMAGE, at=NOW).fingerprint.sha256

    work = register(ada, sign(identity), identifiers=[(IdentifierKind.SHA256, other)])
    allow(work, at=SOON)

    assert told(theirs, at=SOON) == "unknown"
    assert not WorkSignature.objects.exists()


def test_a_signature_speaks_for_no_address(ada: Creator, identity: Identity) -> None:
    shown(ada, identity)
    url = "https://ben.example/1"
    allow(register(ada, sign(identity), identifiers=[(IdentifierKind.URL, url)]), at=SOON)

    asked = checks.check(make_operator(), [CheckItem(url=url)], [Purpose.TRAIN_AI], at=SOON)

    assert asked.results[0]["decisions"]["train-ai"]["decision"] == "unknown"


def test_whoever_registered_the_content_first_is_heard(identity: Identity) -> None:
    """Mallory signs Ada's picture with a certificate of her own."""
    ada, mallory = (make_creator(name, verified=False) for name in ("ada", "mallory"))
    unsigned = drawing()
    register(ada, unsigned, at=NOW)
    shown(mallory, identity)
    body = sign(identity, asset=unsigned)

    work = register(mallory, body)
    allow(work, at=SOON)

    assert work.conflicts.count() == 1
    assert told(body, at=SOON) == "unknown"


def test_a_co_owners_certificate_proves_the_co_owners_word(identity: Identity) -> None:
    ada, ben = (make_creator(name, verified=False) for name in ("ada", "ben"))
    body = sign(identity)
    shown(ben, identity)
    work = register(ada, body, shares={ada.pk: 500_000, ben.pk: 500_000})
    works.confirm_share(work, ben, at=SOON)

    allow(work, at=SOON)
    adas = told(body, at=SOON)
    consent.state(ben, work, purpose=Purpose.TRAIN_AI, decision=Decision.ALLOW, paid=True, at=SOON)

    assert (adas, told(body, at=SOON)) == ("unknown", "allow")


def test_a_place_proves_as_before(ada: Creator) -> None:
    assert claims.proven([make_work(ada).pk], at=NOW) == set()


class Post:
    """Takes mails, or fails while it is shut."""

    def __init__(self, *, shut: bool = False) -> None:
        self.shut = shut
        self.sent: list[tuple[str, list[str]]] = []

    def __call__(self, _subject: str, text: str, people: list[str]) -> None:
        if self.shut:
            raise ConnectionRefusedError("no mail server")
        self.sent.append((text, people))


def test_a_creator_is_told_once_before_a_proof_ends(ada: Creator, identity: Identity) -> None:
    signer = shown(ada, identity)
    soon, post = NOW + 47 * DAY, Post()

    told_at = [signers.remind_due(send=post, at=at, limit=9) for at in (NOW, soon, soon + DAY)]

    assert told_at == [0, 1, 0]
    ((text, people),) = post.sent
    assert people == [person.email for person in ada.members.all()]
    assert signer.subject in text
    assert f"/signers/{signer.pk}/" in text
    assert list(signers.lapsing(ada, at=soon)) == [signer]
    assert list(signers.lapsing(ada, at=NOW)) == []


def test_each_is_told_in_the_language_chosen(ada: Creator, identity: Identity) -> None:
    shown(ada, identity)
    reader = make_user("li@example.org", language="zh-hans")
    odd = make_user("odd@example.org", language="tlh")
    ada.members.add(reader, odd)
    post = Post()

    assert signers.remind_due(send=post, at=NOW + 50 * DAY, limit=9) == 1

    by_reader = {address: text for text, people in post.sent for address in people}
    assert "签名的内容" in by_reader[reader.email]
    assert "counts as yours until" in by_reader[odd.email]
    assert len(post.sent) == 2
    assert len(by_reader) == 3


def test_whom_no_mail_reaches_is_told_again(ada: Creator, identity: Identity) -> None:
    shown(ada, identity)
    at, post = NOW + 50 * DAY, Post()

    assert signers.remind_due(send=Post(shut=True), at=at, limit=9) == 0
    assert signers.remind_due(send=post, at=at, limit=9) == 1


def test_a_proof_shown_anew_is_reminded_of_anew(ada: Creator, identity: Identity) -> None:
    signer, post = shown(ada, identity), Post()
    signers.remind_due(send=post, at=NOW + 50 * DAY, limit=9)
    body = sign(identity, challenge=signers.challenge(signer))

    signers.verify(signer, body, at=NOW + 51 * DAY)

    assert signers.remind_due(send=post, at=NOW + 52 * DAY, limit=9) == 0
    assert signers.remind_due(send=post, at=NOW + 100 * DAY, limit=9) == 1


def test_who_gives_a_certificate_up_is_not_reminded(ada: Creator, identity: Identity) -> None:
    signer = shown(ada, identity)
    signers.remind_due(send=Post(), at=NOW + 50 * DAY, limit=9)

    signers.end(signer, at=NOW + 51 * DAY)

    assert signers.remind_due(send=Post(), at=NOW + 52 * DAY, limit=9) == 0


def test_a_certificate_that_ends_asks_for_the_next_one(ada: Creator) -> None:
    signer, post = shown(ada, make_identity(at=NOW - 800 * DAY)), Post()
    assert signer.valid_until is not None

    signers.remind_due(send=post, at=signer.valid_until - DAY, limit=9)

    ((text, _),) = post.sent
    assert "register the next one" in text
    assert signer.pk not in text


def test_mail_leaves_as_the_settings_say(mailoutbox: list[EmailMessage]) -> None:
    signers.mail("Subject", "Text", ["ada@example.org"])

    assert [(m.subject, m.to) for m in mailoutbox] == [("Subject", ["ada@example.org"])]
