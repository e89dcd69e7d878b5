from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0007_usage_and_review"),
        ("registry", "0008_revocations"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contribution",
            name="creator",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contributions",
                to="registry.creator",
            ),
        ),
        migrations.AlterField(
            model_name="contribution",
            name="query",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contributions",
                to="attribution.query",
            ),
        ),
        migrations.AlterField(
            model_name="contribution",
            name="work",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contributions",
                to="registry.work",
            ),
        ),
        migrations.CreateModel(
            name="IndexedText",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "work",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="indexed_text",
                        to="registry.work",
                    ),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="query", name="record", field=models.BinaryField(null=True)
                ),
            ],
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
        migrations.DeleteModel(name="NgramPosting"),
    ]
