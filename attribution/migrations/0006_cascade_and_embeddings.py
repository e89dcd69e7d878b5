from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import registry.ids

MEDIA = ["text", "image", "audio", "video", "code", "other"]


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0005_next_manifest"),
        ("registry", "0008_revocations"),
    ]

    operations = [
        migrations.AlterField(
            model_name="generativemodel",
            name="method",
            field=models.CharField(
                choices=[
                    ("cascade", "words found in registered texts, then resemblance"),
                    ("verbatim", "words of the output found in registered texts"),
                    ("similarity", "resemblance to registered texts"),
                    ("shapley", "resemblance of each passage, by Shapley values"),
                    ("reported", "the operator's own scores"),
                    ("uniform", "every work of the manifest alike"),
                ],
                default="cascade",
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="EmbeddingSpace",
            fields=[
                (
                    "id",
                    registry.ids.TypedIdField(prefix="spc", primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=120)),
                ("revision", models.CharField(max_length=80)),
                ("preprocessing", models.CharField(max_length=300)),
                (
                    "modality",
                    models.CharField(choices=[(each, each) for each in MEDIA], max_length=8),
                ),
                ("dimension", models.IntegerField()),
                ("calibrations", models.JSONField(blank=True, default=dict)),
                ("registered_at", models.DateTimeField(editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "revision", "preprocessing"),
                        name="space_once_per_model_and_preparation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("modality__in", MEDIA)), name="space_modality_is_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("dimension__gte", 2), ("dimension__lte", 4096)),
                        name="space_dimension_is_within_limits",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="generativemodel",
            name="space",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="attribution.embeddingspace",
            ),
        ),
        migrations.CreateModel(
            name="WorkEmbedding",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("passage", models.IntegerField()),
                ("vector", models.BinaryField()),
                ("embedded_at", models.DateTimeField(editable=False)),
                (
                    "space",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="embeddings",
                        to="attribution.embeddingspace",
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="embeddings",
                        to="registry.work",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("work", "space", "passage"), name="embedding_once_per_passage"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("passage__gte", 0)),
                        name="embedding_passages_are_counted",
                    ),
                ],
                "indexes": [models.Index(fields=["space", "id"], name="embedding_of_space")],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), migrations.RunSQL.noop),
    ]
