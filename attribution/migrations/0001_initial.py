import django.db.models.deletion
from django.db import migrations, models

import ledger.fields
import registry.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("registry", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="GenerativeModel",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="mdl", primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                ("version", models.CharField(max_length=60)),
                ("currency", ledger.fields.CurrencyField()),
                ("fee_micros", models.BigIntegerField(blank=True, null=True)),
                ("price_share_ppm", models.IntegerField(blank=True, null=True)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("verbatim", "words of the output found in registered texts"),
                            ("uniform", "every work of the manifest alike"),
                        ],
                        default="verbatim",
                        max_length=12,
                    ),
                ),
                (
                    "unattributed_policy",
                    models.CharField(
                        choices=[("pool", "Pool"), ("unattributed", "Unattributed")],
                        default="pool",
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(editable=False)),
                (
                    "manifest",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.manifest",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="generative_models",
                        to="registry.operator",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NearDuplicate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("overlap_ppm", models.IntegerField()),
                (
                    "other",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="near_duplicates_as_other",
                        to="registry.work",
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="near_duplicates",
                        to="registry.work",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NgramPosting",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hash",
                        "work_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hash", models.BigIntegerField()),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ngram_postings",
                        to="registry.work",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Query",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="qry", primary_key=True, serialize=False)),
                ("external_id", models.CharField(max_length=200)),
                ("payload_digest", models.BinaryField(max_length=32)),
                ("fee_micros", models.BigIntegerField()),
                ("currency", ledger.fields.CurrencyField()),
                ("occurred_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("settled", "Settled"),
                            ("refused", "Refused"),
                            ("parked", "Parked"),
                        ],
                        default="received",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("evidence", models.BinaryField(null=True)),
                ("evidence_key_id", models.CharField(blank=True, max_length=16)),
                ("method", models.CharField(blank=True, max_length=12)),
                ("method_version", models.CharField(blank=True, max_length=12)),
                ("parameters", models.JSONField(default=dict)),
                ("words", models.IntegerField(null=True)),
                ("weight", models.BigIntegerField(null=True)),
                ("platform_micros", models.BigIntegerField(null=True)),
                ("entry_key", models.UUIDField(null=True, unique=True)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "manifest",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.manifest",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="queries",
                        to="attribution.generativemodel",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="queries",
                        to="registry.operator",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "queries",
            },
        ),
        migrations.CreateModel(
            name="Contribution",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("weight", models.BigIntegerField()),
                ("words", models.IntegerField(default=0)),
                ("micros", models.BigIntegerField()),
                ("withheld", models.CharField(blank=True, max_length=16)),
                (
                    "creator",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="registry.creator",
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="registry.work",
                    ),
                ),
                (
                    "query",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contributions",
                        to="attribution.query",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RoundingCarry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("parts", models.BigIntegerField()),
                (
                    "creator",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.creator",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="carries",
                        to="attribution.generativemodel",
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.work",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="generativemodel",
            constraint=models.UniqueConstraint(
                fields=("operator", "name", "version"), name="model_version_once_per_operator"
            ),
        ),
        migrations.AddConstraint(
            model_name="generativemodel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("fee_micros__gt", 0), ("price_share_ppm", None)),
                    models.Q(
                        ("fee_micros", None),
                        ("price_share_ppm__gt", 0),
                        ("price_share_ppm__lte", 1000000),
                    ),
                    _connector="OR",
                ),
                name="model_fee_is_fixed_or_a_share",
            ),
        ),
        migrations.AddConstraint(
            model_name="generativemodel",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["verbatim", "uniform"])),
                name="model_method_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="generativemodel",
            constraint=models.CheckConstraint(
                condition=models.Q(("unattributed_policy__in", ["pool", "unattributed"])),
                name="model_unattributed_policy_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="nearduplicate",
            constraint=models.UniqueConstraint(
                fields=("work", "other"), name="near_duplicate_once_per_pair"
            ),
        ),
        migrations.AddConstraint(
            model_name="nearduplicate",
            constraint=models.CheckConstraint(
                condition=models.Q(("work", models.F("other")), _negated=True),
                name="near_duplicate_has_two_sides",
            ),
        ),
        migrations.AddIndex(
            model_name="query",
            index=models.Index(
                models.F("due_at"),
                models.F("id"),
                condition=models.Q(("state", "received")),
                name="query_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.UniqueConstraint(
                fields=("operator", "external_id"), name="query_external_id_once_per_operator"
            ),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["received", "settled", "refused", "parked"])),
                name="query_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.CheckConstraint(
                condition=models.Q(("fee_micros__gt", 0)), name="query_fee_is_above_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("evidence__isnull", False),
                        ("state__in", ["received", "parked"]),
                        models.Q(("evidence_key_id", ""), _negated=True),
                    ),
                    models.Q(
                        ("evidence", None),
                        ("evidence_key_id", ""),
                        ("state__in", ["settled", "refused"]),
                    ),
                    _connector="OR",
                ),
                name="query_keeps_evidence_only_while_it_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("entry_key__isnull", False),
                        ("platform_micros__gte", 0),
                        ("settled_at__isnull", False),
                        ("state", "settled"),
                        ("weight__gt", 0),
                        models.Q(("method", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("state", "settled"), _negated=True),
                        ("entry_key", None),
                        ("settled_at", None),
                        ("weight", None),
                    ),
                    _connector="OR",
                ),
                name="query_settled_has_its_entry",
            ),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["refused", "parked"]), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="query_refused_or_parked_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="query",
            constraint=models.CheckConstraint(
                condition=models.Q(("attempts__gte", 0)), name="query_attempts_are_counted"
            ),
        ),
        migrations.AddIndex(
            model_name="contribution",
            index=models.Index(fields=["creator", "-id"], name="contribution_of_creator"),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.UniqueConstraint(
                fields=("query", "work", "creator"),
                name="contribution_once_per_query_work_and_creator",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("creator", None), ("withheld", ""), ("work", None)),
                    models.Q(("creator__isnull", False), ("work__isnull", False)),
                    _connector="OR",
                ),
                name="contribution_names_work_and_creator_or_neither",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(("micros__gte", 0), ("weight__gte", 0), ("words__gte", 0)),
                name="contribution_is_never_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(("withheld", ""), ("micros", 0), _connector="OR"),
                name="contribution_withheld_pays_nothing",
            ),
        ),
        migrations.AddConstraint(
            model_name="roundingcarry",
            constraint=models.UniqueConstraint(
                fields=("model", "work", "creator"),
                name="carry_once_per_model_work_and_creator",
                nulls_distinct=False,
            ),
        ),
    ]
