import uuid
from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

import ledger.fields
import registry.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("registry", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.IntegerField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.SmallIntegerField(
                        choices=[
                            (1, "OPERATOR_PREPAID"),
                            (2, "CREATOR_PENDING"),
                            (3, "CREATOR_AVAILABLE"),
                            (4, "CREATOR_DISPUTED"),
                            (5, "CREATOR_IN_PAYOUT"),
                            (6, "POOL"),
                            (7, "UNATTRIBUTED"),
                            (8, "UNCLAIMED"),
                            (9, "PLATFORM_FEE"),
                            (10, "PROCESSOR_FEE"),
                            (11, "PROVIDER_CLEARING"),
                        ]
                    ),
                ),
                (
                    "owner",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Coalesce(
                            "operator_id",
                            "creator_id",
                            models.Value(uuid.UUID("00000000-0000-0000-0000-000000000000")),
                        ),
                        output_field=models.UUIDField(),
                    ),
                ),
                ("currency", ledger.fields.CurrencyField()),
                ("min_balance_micros", models.BigIntegerField(null=True)),
                ("max_balance_micros", models.BigIntegerField(null=True)),
                ("opened_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ledger_account",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("batch_id", models.BigIntegerField(unique=True)),
                ("entries_count", models.IntegerField()),
                ("legs_count", models.IntegerField()),
                ("volume_micros", models.DecimalField(decimal_places=0, max_digits=40)),
                ("content_hash", models.BinaryField(max_length=32)),
                ("accounts_hash", models.BinaryField(max_length=32)),
                ("previous_hash", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
                ("posted_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ledger_batch",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("key", models.UUIDField(unique=True)),
                (
                    "kind",
                    models.SmallIntegerField(
                        choices=[
                            (1, "QUERY"),
                            (2, "TOPUP"),
                            (3, "MATURITY"),
                            (4, "PAYOUT_RESERVE"),
                            (5, "PAYOUT_SENT"),
                            (6, "PAYOUT_RELEASE"),
                            (7, "PAYOUT_RETURN"),
                            (8, "PROCESSOR_FEE"),
                            (9, "ADJUSTMENT"),
                            (10, "REVERSAL"),
                            (11, "CLAIM"),
                            (12, "DISTRIBUTION"),
                            (13, "WITHDRAWAL"),
                        ]
                    ),
                ),
                ("currency", ledger.fields.CurrencyField()),
                (
                    "accounts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
                (
                    "amounts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("effective_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ledger_entry",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Line",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "batch_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("legs_count", models.IntegerField()),
                ("currency", ledger.fields.CurrencyField()),
                ("debit_micros", models.BigIntegerField()),
                ("credit_micros", models.BigIntegerField()),
                ("balance_micros", models.BigIntegerField()),
            ],
            options={
                "db_table": "ledger_line",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("draft_digest", models.BinaryField(max_length=32)),
                (
                    "reason",
                    models.SmallIntegerField(choices=[(1, "BELOW_MINIMUM"), (2, "ABOVE_MAXIMUM")]),
                ),
                ("refused_at", models.DateTimeField()),
            ],
            options={
                "db_table": "ledger_refusal",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PublishedHead",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.BinaryField(max_length=32)),
                ("leaf_hash", models.BinaryField(max_length=32)),
                ("published_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "published head",
            },
        ),
        migrations.CreateModel(
            name="Balance",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="balance",
                        serialize=False,
                        to="ledger.account",
                    ),
                ),
                ("currency", ledger.fields.CurrencyField()),
                ("balance_micros", models.BigIntegerField()),
                ("legs_count", models.BigIntegerField()),
                ("last_batch", models.BigIntegerField()),
                ("min_balance_micros", models.BigIntegerField(null=True)),
                ("max_balance_micros", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "ledger_balance",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Payee",
            fields=[
                (
                    "creator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="payee",
                        serialize=False,
                        to="registry.creator",
                    ),
                ),
                ("gateway", models.CharField(max_length=20)),
                ("account", models.CharField(max_length=120)),
                ("country", models.CharField(max_length=2)),
                ("can_receive", models.BooleanField(default=False)),
                (
                    "requirements",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("refreshed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway", "account"), name="payee_account_is_one_creators"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                        name="payee_country_is_two_letters",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutBatch",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="bat", primary_key=True, serialize=False)),
                ("currency", ledger.fields.CurrencyField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("submitted", "submitted"),
                            ("approved", "approved"),
                            ("sending", "sending"),
                            ("closed", "closed"),
                            ("canceled", "canceled"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("prepared_at", models.DateTimeField()),
                ("submitted_at", models.DateTimeField(null=True)),
                ("lines_digest", models.BinaryField(max_length=32, null=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("waits_for", models.CharField(blank=True, max_length=40)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "canceled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "prepared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "payout batch",
            },
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="pay", primary_key=True, serialize=False)),
                ("gateway", models.CharField(max_length=20)),
                ("account", models.CharField(max_length=120)),
                ("amount_micros", models.BigIntegerField()),
                ("currency", ledger.fields.CurrencyField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("reserved", "reserved"),
                            ("sending", "sending"),
                            ("unknown", "unknown"),
                            ("transferred", "transferred"),
                            ("in_transit", "in_transit"),
                            ("paid", "paid"),
                            ("bank_failed", "bank_failed"),
                            ("held", "held"),
                            ("failed", "failed"),
                            ("reversed", "reversed"),
                            ("canceled", "canceled"),
                        ],
                        default="planned",
                        max_length=12,
                    ),
                ),
                ("attempt", models.PositiveSmallIntegerField(default=1)),
                ("first_asked_at", models.DateTimeField(null=True)),
                ("asked_at", models.DateTimeField(null=True)),
                ("try_after", models.DateTimeField(null=True)),
                ("transfer_id", models.CharField(blank=True, max_length=200)),
                ("reversed_micros", models.BigIntegerField(default=0)),
                ("bank_payout_id", models.CharField(blank=True, max_length=200)),
                ("bank_arrives_at", models.DateTimeField(null=True)),
                ("trouble", models.CharField(blank=True, max_length=120)),
                ("created_at", models.DateTimeField()),
                (
                    "creator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="registry.creator",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="ledger.payoutbatch",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PayoutEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "from_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("planned", "planned"),
                            ("reserved", "reserved"),
                            ("sending", "sending"),
                            ("unknown", "unknown"),
                            ("transferred", "transferred"),
                            ("in_transit", "in_transit"),
                            ("paid", "paid"),
                            ("bank_failed", "bank_failed"),
                            ("held", "held"),
                            ("failed", "failed"),
                            ("reversed", "reversed"),
                            ("canceled", "canceled"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("reserved", "reserved"),
                            ("sending", "sending"),
                            ("unknown", "unknown"),
                            ("transferred", "transferred"),
                            ("in_transit", "in_transit"),
                            ("paid", "paid"),
                            ("bank_failed", "bank_failed"),
                            ("held", "held"),
                            ("failed", "failed"),
                            ("reversed", "reversed"),
                            ("canceled", "canceled"),
                        ],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="ledger.payout",
                    ),
                ),
            ],
            options={
                "verbose_name": "payout event",
            },
        ),
        migrations.CreateModel(
            name="ProviderEvent",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="evt", primary_key=True, serialize=False)),
                ("gateway", models.CharField(max_length=20)),
                ("event_id", models.CharField(max_length=200)),
                ("type", models.CharField(max_length=120)),
                ("object_id", models.CharField(blank=True, max_length=200)),
                ("account", models.CharField(blank=True, max_length=120)),
                ("livemode", models.BooleanField()),
                ("payload", models.JSONField()),
                ("happened_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("applied", "Applied"),
                            ("ignored", "Ignored"),
                            ("abandoned", "Abandoned"),
                        ],
                        max_length=10,
                    ),
                ),
                ("processed_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("try_after", models.DateTimeField()),
                ("trouble", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "verbose_name": "provider event",
                "indexes": [
                    models.Index(
                        condition=models.Q(("processed_at", None)),
                        fields=["try_after"],
                        name="provider_event_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway", "event_id"), name="provider_event_stored_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome", ""), ("processed_at", None)),
                            models.Q(
                                models.Q(("outcome", ""), _negated=True),
                                ("processed_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="provider_event_processed_has_an_outcome",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderTransaction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gateway", models.CharField(max_length=20)),
                ("transaction_id", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=60)),
                ("amount_micros", models.BigIntegerField()),
                ("fee_micros", models.BigIntegerField()),
                ("currency", ledger.fields.CurrencyField()),
                ("source_id", models.CharField(blank=True, max_length=200)),
                ("happened_at", models.DateTimeField()),
                ("available_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway", "transaction_id"),
                        name="provider_transaction_recorded_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gateway", models.CharField(max_length=20)),
                ("currency", ledger.fields.CurrencyField()),
                ("ledger_micros", models.BigIntegerField()),
                ("provider_micros", models.BigIntegerField()),
                ("balance_micros", models.BigIntegerField()),
                (
                    "agrees",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.ExpressionWrapper(
                            models.Q(
                                ("ledger_micros", models.F("provider_micros")),
                                ("provider_micros", models.F("balance_micros")),
                            ),
                            output_field=models.BooleanField(),
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                ("compared_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["currency", "-compared_at"], name="reconciliation_latest")
                ],
            },
        ),
        migrations.CreateModel(
            name="TopUp",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="top", primary_key=True, serialize=False)),
                ("amount_micros", models.BigIntegerField()),
                ("currency", ledger.fields.CurrencyField()),
                ("gateway", models.CharField(max_length=20)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("paid", "Paid"), ("refused", "Refused")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("session_id", models.CharField(max_length=200, null=True, unique=True)),
                ("url", models.URLField(blank=True, max_length=2000)),
                ("payment_id", models.CharField(blank=True, max_length=200)),
                ("settled_micros", models.BigIntegerField(null=True)),
                ("entry_id", models.BigIntegerField(null=True)),
                ("created_at", models.DateTimeField()),
                ("paid_at", models.DateTimeField(null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="topups",
                        to="registry.operator",
                    ),
                ),
            ],
            options={
                "verbose_name": "top-up",
            },
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["draft", "submitted"])),
                fields=("currency",),
                name="payout_batch_one_open_per_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by", None),
                    models.Q(
                        models.Q(("approved_by", models.F("prepared_by")), _negated=True),
                        models.Q(("approved_by", models.F("submitted_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="payout_batch_maker_is_not_checker",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "canceled"]),
                    models.Q(
                        ("lines_digest__isnull", False),
                        ("submitted_at__isnull", False),
                        ("submitted_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="payout_batch_submitted_is_frozen",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["approved", "sending", "closed"]), _negated=True),
                    models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                    _connector="OR",
                ),
                name="payout_batch_approved_by_somebody",
            ),
        ),
        migrations.AddIndex(
            model_name="payout",
            index=models.Index(
                condition=models.Q(("status", "reserved")),
                fields=["try_after"],
                name="payout_to_send",
            ),
        ),
        migrations.AddIndex(
            model_name="payout",
            index=models.Index(
                condition=models.Q(("status__in", ["sending", "unknown"])),
                fields=["asked_at"],
                name="payout_to_resolve",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                fields=("batch", "creator"), name="payout_one_per_creator_and_batch"
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.UniqueConstraint(
                condition=models.Q(("transfer_id", ""), _negated=True),
                fields=("gateway", "transfer_id"),
                name="payout_transfer_is_one_payouts",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="payout_amount_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reversed_micros__gte", 0), ("reversed_micros__lte", models.F("amount_micros"))
                ),
                name="payout_reversed_at_most_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "status__in",
                            ["transferred", "in_transit", "paid", "bank_failed", "reversed"],
                        ),
                        _negated=True,
                    ),
                    models.Q(("transfer_id", ""), _negated=True),
                    _connector="OR",
                ),
                name="payout_transferred_names_its_transfer",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reversed_micros", models.F("amount_micros")),
                    models.Q(("status", "reversed"), _negated=True),
                    _connector="OR",
                ),
                name="payout_reversed_is_whole",
            ),
        ),
        migrations.AddIndex(
            model_name="payoutevent",
            index=models.Index(fields=["payout", "id"], name="payout_event_history"),
        ),
        migrations.AddConstraint(
            model_name="topup",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="topup_amount_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="topup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("entry_id__isnull", False),
                        ("paid_at__isnull", False),
                        ("settled_micros__gt", 0),
                        ("status", "paid"),
                    ),
                    models.Q(
                        models.Q(("status", "paid"), _negated=True),
                        ("entry_id", None),
                        ("paid_at", None),
                        ("settled_micros", None),
                    ),
                    _connector="OR",
                ),
                name="topup_paid_has_an_entry",
            ),
        ),
    ]
