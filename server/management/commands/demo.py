"""Play the whole story against the running services; ``python -m server.demo`` starts them."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from attribution.models import GenerativeModel, Query
from ledger.gateway_choice import configured
from registry import operators, snapshots
from registry.models import Operator
from server.demo import approval, creators, payday, pipeline, summary, usage
from server.demo.keyring import Keyring
from server.demo.narration import elapsed_since, heading, say
from tribute.transport import Registry


class Command(BaseCommand):
    """Play the story of consent, credit and compensation on real works."""

    help = __doc__
    requires_migrations_checks = True

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Play every act; each takes up what an earlier run left."""
        if not settings.EMBEDDED:
            raise CommandError("the demo plays on an embedded service only; see `make demo`")
        start = time.monotonic()
        keyring = Keyring.open(settings.HOME)
        try:
            kept = play(keyring)
        except usage.DemoStuck as error:
            raise CommandError(str(error)) from error
        invite(keyring, elapsed=elapsed_since(start))
        if not kept:
            raise CommandError("a promise is broken; see above")


def play(keyring: Keyring) -> bool:
    """Play the acts; true when every promise was found kept."""
    operator, registry = open_pipeline(keyring)
    if settled(operator):
        say("The world of an earlier run is here; nothing is done twice.")
    else:
        populate(keyring)
        learn_and_earn(operator, registry)
    heading(6, "Two people pay the creators")
    maker = creators.make_user("pia", "Pia Admin", password=keyring.password, is_payout_admin=True)
    checker = creators.make_user(
        "quinn", "Quinn Admin", password=keyring.password, is_payout_admin=True
    )
    payday.onboard_earners(gateway=configured(), at=timezone.now())
    for admin in (maker, checker):
        approval.enrol(admin, keyring)
    payday.pay(maker, checker, keyring, at=timezone.now())
    heading(7, "Who got what, why, and whether every promise was kept")
    summary.who_got_what()
    summary.why(operator)
    return all(promise.kept for promise in summary.promises(operator))


def populate(keyring: Keyring) -> None:
    """Play act one."""
    heading(1, "Creators register real works and say what they allow")
    at = timezone.now()
    cast = creators.sign_up(password=keyring.password, at=at)
    by_slug = creators.register(cast, at=at)
    creators.prove_hosts(cast, site=settings.HOME / "site", at=at)
    creators.state_wishes(cast, by_slug, at=at)
    release = snapshots.build(at=timezone.now())
    say(f"Snapshot {release.seq} of all this is signed; pipelines may filter offline by it.")


def learn_and_earn(operator: Operator, registry: Registry) -> None:
    """Play acts two to five."""
    heading(2, "A training pipeline asks before it ingests")
    allowed = pipeline.ask(registry, pipeline.wish_list())
    ingested_at = timezone.now()
    heading(3, "It trains a language model on just that, and generates")
    model = pipeline.learn(allowed)
    known = GenerativeModel.objects.filter(operator=operator).first()
    model_id = known.pk if known else pipeline.declare(registry, allowed, ingested_at=ingested_at)
    texts = pipeline.generate(model, allowed)
    heading(4, "The operator pays in advance")
    usage.top_up(registry, operator)
    heading(5, "It reports each paid generation; the worker attributes and posts")
    start = time.monotonic()
    usage.report(registry, model_id, texts, occurred_at=timezone.now())
    usage.wait_for_settlement(operator, start=start)


def open_pipeline(keyring: Keyring) -> tuple[Operator, Registry]:
    """Return the operator and a client that acts for it, made if need be."""
    user = creators.make_user("olga", "Olga at Acme", password=keyring.password)
    at = timezone.now()
    operator = Operator.objects.filter(handle="acme").first() or operators.found(
        user, handle="acme", name="Acme", at=at
    )
    if keyring.operator_key is None:
        issued = operators.issue_key(
            operator, scopes=operators.scopes_of(operator), name="demo", at=at
        )
        keyring.operator_key = issued.secret
        keyring.save()
    return operator, Registry(settings.PUBLIC_URL, keyring.operator_key)


def settled(operator: Operator) -> bool:
    """Whether an earlier run came to the end of act five."""
    queries = Query.objects.of(operator)
    return queries.count() >= pipeline.GENERATED_TEXTS and not queries.waiting().exists()


def invite(keyring: Keyring, *, elapsed: str) -> None:
    """Print where to look, and as whom."""
    heading(8, f"Look around (the story took {elapsed})")
    say(f"{settings.PUBLIC_URL}           the site")
    say(f"{settings.PUBLIC_URL}/v1/docs   the API")
    for who, email in (
        ("a creator", "ada@demo.example"),
        ("her co-owner", "ben@demo.example"),
        ("the operator", "olga@demo.example"),
        ("an admin who prepares payouts", "pia@demo.example"),
        ("an admin who approves them", "quinn@demo.example"),
    ):
        say(f"log in as {email:<20} {who}")
    say(f"password for all of them: {keyring.password}")
    say("the admins' one-time codes: make codes")
    say(f"the operator's API key:   {keyring.operator_key}")
    say("Stripe is simulated: no money moved anywhere. Earnings mature at once here.")
