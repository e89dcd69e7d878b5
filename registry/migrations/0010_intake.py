from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import registry.ids


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0009_served_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="imp", primary_key=True, serialize=False)),
                (
                    "format",
                    models.CharField(
                        choices=[("csv", "Csv"), ("jsonl", "Json Lines")], max_length=5
                    ),
                ),
                ("dry_run", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("receiving", "Receiving"),
                            ("reading", "Reading"),
                            ("registering", "Registering"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                        ],
                        default="receiving",
                        max_length=11,
                    ),
                ),
                ("failure", models.CharField(blank=True, max_length=300)),
                ("read_to", models.BigIntegerField(default=0)),
                ("columns", models.JSONField(null=True)),
                ("rows_count", models.BigIntegerField(default=0)),
                ("processed_count", models.BigIntegerField(default=0)),
                ("registered_count", models.BigIntegerField(default=0)),
                ("duplicate_count", models.BigIntegerField(default=0)),
                ("error_count", models.BigIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("progressed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ImportKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "works_import",
                        "key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "works_import",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to="registry.import",
                    ),
                ),
                ("key", models.BinaryField(max_length=32)),
                ("row_number", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("row_number", models.BigIntegerField()),
                ("body", models.JSONField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=10)),
                ("field", models.CharField(blank=True, max_length=40)),
                ("reason", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.CreateModel(
            name="ManifestCode",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("row_number", models.BigIntegerField()),
                ("type", models.CharField(max_length=8)),
                ("code", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="RevocationLapse",
            fields=[
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="lapse",
                        serialize=False,
                        to="registry.revocationnotice",
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "revocation lapse",
            },
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="upl", primary_key=True, serialize=False)),
                ("size", models.BigIntegerField(null=True)),
                ("received", models.BigIntegerField(default=0)),
                ("sha256", models.BinaryField(max_length=32, null=True)),
                ("created_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="UploadPart",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("start", models.BigIntegerField()),
                ("content", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tried_at", models.DateTimeField()),
                ("answered", models.SmallIntegerField(null=True)),
                ("trouble", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="dlv", primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("attempts_count", models.IntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="whk", primary_key=True, serialize=False)),
                ("url", models.URLField(max_length=500)),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                ("secret_number", models.IntegerField(default=1)),
                ("previous_secret_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("failing_since", models.DateTimeField(null=True)),
                ("disabled_at", models.DateTimeField(null=True)),
                (
                    "disabled_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("by_owner", "By Owner"),
                            ("failing", "Failing"),
                            ("gone", "Gone"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                ("id", registry.ids.TypedIdField(prefix="msg", primary_key=True, serialize=False)),
                ("type", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=60)),
                ("body", models.BinaryField()),
                ("occurred_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="WorkReference",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("reference", models.CharField(max_length=200)),
                ("digest", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="manifest",
            name="manifest_is_digested_once_received",
        ),
        migrations.AddField(
            model_name="manifest",
            name="failure",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="manifest",
            name="format",
            field=models.CharField(
                choices=[("jsonl", "Json Lines"), ("parquet", "Parquet")],
                default="jsonl",
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="manifest",
            name="progressed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="manifest",
            name="read_to",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="manifest",
            name="running_digest",
            field=models.BinaryField(
                default=b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
                max_length=32,
            ),
        ),
        migrations.AddField(
            model_name="manifest",
            name="started_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="manifest",
            name="summary",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="import",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="imports",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="importrow",
            name="work",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="import_rows",
                to="registry.work",
            ),
        ),
        migrations.AddField(
            model_name="importrow",
            name="works_import",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rows",
                to="registry.import",
            ),
        ),
        migrations.AddField(
            model_name="manifestcode",
            name="manifest",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="codes",
                to="registry.manifest",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="creator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="uploads",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="operator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="uploads",
                to="registry.operator",
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="upload",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="works_import",
                to="registry.upload",
            ),
        ),
        migrations.AddField(
            model_name="manifest",
            name="upload",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="manifest",
                to="registry.upload",
            ),
        ),
        migrations.AddIndex(
            model_name="manifest",
            index=models.Index(
                condition=models.Q(("status__in", ["receiving", "matching"])),
                fields=["received_at"],
                name="manifest_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="manifest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["receiving", "matching", "failed"]),
                    ("digest__isnull", False),
                    _connector="OR",
                ),
                name="manifest_is_digested_once_received",
            ),
        ),
        migrations.AddField(
            model_name="uploadpart",
            name="upload",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parts",
                to="registry.upload",
            ),
        ),
        migrations.AddField(
            model_name="webhookattempt",
            name="delivery",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="registry.webhookdelivery",
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="creator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="webhooks",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="operator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="webhooks",
                to="registry.operator",
            ),
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="registry.webhookendpoint",
            ),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="creator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="operator",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="registry.operator",
            ),
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="event",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="registry.webhookevent",
            ),
        ),
        migrations.AddField(
            model_name="workreference",
            name="creator",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="work_references",
                to="registry.creator",
            ),
        ),
        migrations.AddField(
            model_name="workreference",
            name="work",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="references",
                to="registry.work",
            ),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.UniqueConstraint(
                fields=("works_import", "row_number"), name="import_row_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["", "registered", "duplicate", "error"])),
                name="import_row_outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("creator__isnull", False), ("operator", None)),
                    models.Q(("creator", None), ("operator__isnull", False)),
                    _connector="OR",
                ),
                name="upload_has_exactly_one_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("received__gte", 0),
                    models.Q(("size", None), ("received__lte", models.F("size")), _connector="OR"),
                ),
                name="upload_receives_no_more_than_its_size",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("completed_at", None), ("size", models.F("received")), _connector="OR"
                ),
                name="upload_is_complete_when_all_was_received",
            ),
        ),
        migrations.AddIndex(
            model_name="import",
            index=models.Index(
                condition=models.Q(("status__in", ["receiving", "reading", "registering"])),
                fields=["created_at"],
                name="import_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["receiving", "reading", "registering", "ready", "failed"])
                ),
                name="import_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "failed"), models.Q(("failure", ""), _negated=True)),
                    models.Q(("failure", ""), ("status", "failed"), _negated=True),
                    _connector="OR",
                ),
                name="import_fails_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "processed_count",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("registered_count"), "+", models.F("duplicate_count")
                            ),
                            "+",
                            models.F("error_count"),
                        ),
                    ),
                    ("processed_count__lte", models.F("rows_count")),
                ),
                name="import_counts_every_row_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="uploadpart",
            constraint=models.UniqueConstraint(
                fields=("upload", "start"), name="upload_part_starts_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("answered__isnull", False),
                    models.Q(("trouble", ""), _negated=True),
                    _connector="OR",
                ),
                name="webhook_attempt_says_what_came",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("creator__isnull", False), ("operator", None)),
                    models.Q(("creator", None), ("operator__isnull", False)),
                    _connector="OR",
                ),
                name="webhook_has_exactly_one_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("disabled_at", None), ("disabled_reason", "")),
                    models.Q(
                        ("disabled_at__isnull", False),
                        models.Q(("disabled_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="webhook_is_disabled_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("creator__isnull", False), ("operator", None)),
                    models.Q(("creator", None), ("operator__isnull", False)),
                    _connector="OR",
                ),
                name="webhook_event_concerns_exactly_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookevent",
            constraint=models.UniqueConstraint(
                fields=("operator", "creator", "type", "subject"),
                name="webhook_event_once_per_owner_and_subject",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["due_at"],
                name="webhook_delivery_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "event"), name="webhook_delivery_once_per_endpoint_and_event"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delivered_at", None), ("status__in", ["pending", "failed"])),
                    models.Q(("delivered_at__isnull", False), ("status", "delivered")),
                    _connector="OR",
                ),
                name="webhook_delivery_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="workreference",
            constraint=models.UniqueConstraint(
                fields=("creator", "reference"), name="work_reference_once_per_creator"
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
