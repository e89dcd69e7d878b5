from pathlib import Path

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import ledger.fields
import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0006_cascade_and_embeddings"),
        ("registry", "0008_revocations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("micros", models.BigIntegerField()),
                ("borne_micros", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="CapReview",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="crv", primary_key=True, serialize=False)),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("released", "to the work's creators"),
                            ("redirected", "to the pool"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_micros", models.BigIntegerField()),
                ("currency", ledger.fields.CurrencyField()),
                ("reason", models.CharField(max_length=400)),
                ("reviewed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="KeptEvidence",
            fields=[
                (
                    "query",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="kept_evidence",
                        serialize=False,
                        to="attribution.query",
                    ),
                ),
                ("box", models.BinaryField()),
                ("key_id", models.CharField(max_length=16)),
                ("delete_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name_plural": "kept evidence",
            },
        ),
        migrations.CreateModel(
            name="RelatedParty",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="rel", primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("members", "a member in common"),
                            ("payee", "the same name at the bank"),
                            ("domain", "the same domain"),
                            ("declared", "one of them said so"),
                        ],
                        max_length=8,
                    ),
                ),
                ("evidence", models.CharField(max_length=400)),
                ("found_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("cleared", "Cleared"),
                            ("confirmed", "Confirmed"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=400)),
            ],
            options={
                "verbose_name_plural": "related parties",
            },
        ),
        migrations.CreateModel(
            name="ReportKey",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="rky", primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("public_key", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField(editable=False)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReportPolicy",
            fields=[
                (
                    "operator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="report_policy",
                        serialize=False,
                        to="registry.operator",
                    ),
                ),
                ("signature_required", models.BooleanField()),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "report policies",
            },
        ),
        migrations.CreateModel(
            name="ShadowChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("micros", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="ShadowResult",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("same", "Same"),
                            ("differs", "Differs"),
                            ("skipped", "Skipped"),
                            ("posted", "Posted"),
                        ],
                        max_length=7,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("parameters", models.JSONField(default=dict)),
                ("record", models.JSONField(null=True)),
                ("paid_digest", models.BinaryField(max_length=32)),
                ("entry_key", models.UUIDField(null=True, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="ShadowRun",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="shr", primary_key=True, serialize=False)),
                ("method", models.CharField(max_length=12)),
                ("method_version", models.CharField(max_length=12)),
                ("settled_from", models.DateTimeField()),
                ("settled_until", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("ready", "Ready"),
                            ("proposed", "Proposed"),
                            ("accepted", "Accepted"),
                            ("posted", "Posted"),
                            ("dismissed", "Dismissed"),
                        ],
                        default="running",
                        max_length=9,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="UsageFlag",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="ufl", primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("gap", "numbers are missing"),
                            ("reused", "a number came again with other content"),
                            ("backdated", "a query happened before those already reported"),
                            ("late", "a query was reported long after it happened"),
                        ],
                        max_length=9,
                    ),
                ),
                ("first", models.BigIntegerField(null=True)),
                ("last", models.BigIntegerField(null=True)),
                ("detail", models.CharField(max_length=400)),
                ("found_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                ("resolution", models.CharField(blank=True, max_length=400)),
            ],
        ),
        migrations.CreateModel(
            name="UsageReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sequence", models.BigIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
                ("signature", models.CharField(max_length=1000)),
                ("queries_count", models.IntegerField()),
                ("first_occurred_at", models.DateTimeField()),
                ("last_occurred_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="generativemodel",
            name="keep_evidence_days",
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="generativemodel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("keep_evidence_days", None), ("keep_evidence_days__gte", 1), _connector="OR"
                ),
                name="model_keeps_evidence_for_days",
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="creator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjustments",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="query",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjustments",
                to="attribution.query",
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="work",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.work",
            ),
        ),
        migrations.AddField(
            model_name="capreview",
            name="reviewed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="capreview",
            name="work",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cap_reviews",
                to="registry.work",
            ),
        ),
        migrations.AddField(
            model_name="relatedparty",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="related_parties",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="relatedparty",
            name="operator",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="related_parties",
                to="registry.operator",
            ),
        ),
        migrations.AddField(
            model_name="relatedparty",
            name="reviewed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="reportkey",
            name="operator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="report_keys",
                to="registry.operator",
            ),
        ),
        migrations.AddField(
            model_name="shadowchange",
            name="creator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="shadowchange",
            name="work",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.work",
            ),
        ),
        migrations.AddField(
            model_name="shadowresult",
            name="query",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shadow_results",
                to="attribution.query",
            ),
        ),
        migrations.AddField(
            model_name="shadowchange",
            name="result",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="attribution.shadowresult",
            ),
        ),
        migrations.AddField(
            model_name="adjustment",
            name="result",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjustments",
                to="attribution.shadowresult",
            ),
        ),
        migrations.AddField(
            model_name="shadowrun",
            name="accepted_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="shadowrun",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="shadowrun",
            name="model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shadow_runs",
                to="attribution.generativemodel",
            ),
        ),
        migrations.AddField(
            model_name="shadowrun",
            name="proposed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="shadowresult",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="results",
                to="attribution.shadowrun",
            ),
        ),
        migrations.AddField(
            model_name="usageflag",
            name="key",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="flags",
                to="attribution.reportkey",
            ),
        ),
        migrations.AddField(
            model_name="usageflag",
            name="operator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="usage_flags",
                to="registry.operator",
            ),
        ),
        migrations.AddField(
            model_name="usageflag",
            name="resolved_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="usagereport",
            name="key",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reports",
                to="attribution.reportkey",
            ),
        ),
        migrations.AddConstraint(
            model_name="capreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_micros__gt", 0),
                    ("decision__in", ["released", "redirected"]),
                    models.Q(("reason", ""), _negated=True),
                ),
                name="cap_review_decides_about_money_with_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="relatedparty",
            constraint=models.UniqueConstraint(
                fields=("operator", "creator", "kind"), name="related_party_once_per_pair_and_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="relatedparty",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["members", "payee", "domain", "declared"])),
                name="related_party_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="relatedparty",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("reason", ""),
                        ("reviewed_at", None),
                        ("reviewed_by", None),
                        ("state", "open"),
                    ),
                    models.Q(
                        ("reviewed_at__isnull", False),
                        ("reviewed_by__isnull", False),
                        ("state__in", ["cleared", "confirmed"]),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="related_party_reviewed_says_who_and_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportkey",
            constraint=models.UniqueConstraint(
                fields=("operator", "public_key"), name="report_key_once_per_operator"
            ),
        ),
        migrations.AddConstraint(
            model_name="shadowchange",
            constraint=models.UniqueConstraint(
                fields=("result", "work", "creator"),
                name="shadow_change_once_per_result_work_and_creator",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.UniqueConstraint(
                fields=("result", "work", "creator"),
                name="adjustment_once_per_result_work_and_creator",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("borne_micros", 0),
                    models.Q(
                        ("borne_micros__gt", 0),
                        (
                            "micros__lte",
                            django.db.models.expressions.CombinedExpression(
                                models.Value(-1), "*", models.F("borne_micros")
                            ),
                        ),
                    ),
                    _connector="OR",
                ),
                name="adjustment_bears_part_of_a_decrease",
            ),
        ),
        migrations.AddConstraint(
            model_name="shadowrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("accepted_by", None),
                    models.Q(
                        ("proposed_by__isnull", False),
                        models.Q(("accepted_by", models.F("proposed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="shadow_run_is_accepted_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="shadowrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("accepted_by", None), ("state__in", ["running", "ready", "dismissed"])
                    ),
                    models.Q(
                        ("accepted_by", None),
                        ("proposed_by__isnull", False),
                        ("state", "proposed"),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    models.Q(("accepted_by__isnull", False), ("state__in", ["accepted", "posted"])),
                    _connector="OR",
                ),
                name="shadow_run_state_follows_from_who_said_so",
            ),
        ),
        migrations.AddConstraint(
            model_name="shadowrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("settled_until__gt", models.F("settled_from"))),
                name="shadow_run_covers_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="shadowresult",
            constraint=models.UniqueConstraint(
                fields=("run", "query"), name="shadow_result_once_per_run_and_query"
            ),
        ),
        migrations.AddConstraint(
            model_name="shadowresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry_key__isnull", False), ("state", "posted")),
                    models.Q(("entry_key", None), ("state__in", ["same", "differs", "skipped"])),
                    _connector="OR",
                ),
                name="shadow_result_posted_has_its_entry",
            ),
        ),
        migrations.AddIndex(
            model_name="usageflag",
            index=models.Index(fields=["operator", "-id"], name="usage_flag_of_operator"),
        ),
        migrations.AddIndex(
            model_name="usageflag",
            index=models.Index(
                condition=models.Q(("resolved_at", None)),
                fields=["found_at"],
                name="usage_flag_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="usageflag",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["gap", "reused", "backdated", "late"])),
                name="usage_flag_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="usageflag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolution", ""), ("resolved_at", None), ("resolved_by", None)),
                    models.Q(
                        ("resolved_at__isnull", False), models.Q(("resolution", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="usage_flag_resolved_says_how",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagereport",
            constraint=models.UniqueConstraint(
                fields=("key", "sequence", "digest"),
                name="usage_report_once_per_key_number_and_content",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagereport",
            constraint=models.CheckConstraint(
                condition=models.Q(("sequence__gte", 1)), name="usage_report_numbers_begin_at_one"
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
