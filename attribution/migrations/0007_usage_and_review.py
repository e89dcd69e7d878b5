from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0004_weigh_by_every_method"),
        ("registry", "0008_revocations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
            name="ReportKey",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="rky", primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80)),
                ("public_key", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField(editable=False)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="report_keys",
                        to="registry.operator",
                    ),
                ),
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
                (
                    "key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flags",
                        to="attribution.reportkey",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_flags",
                        to="registry.operator",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reports",
                        to="attribution.reportkey",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="reportkey",
            constraint=models.UniqueConstraint(
                fields=("operator", "public_key"), name="report_key_once_per_operator"
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
