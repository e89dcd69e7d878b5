from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0010_reviewed_clusters"),
        ("registry", "0012_claims"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contribution",
            name="work",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contributions",
                to="registry.work",
            ),
        ),
        migrations.AddIndex(
            model_name="contribution",
            index=models.Index(
                condition=models.Q(("escrow", ""), _negated=True),
                fields=["work"],
                name="contribution_kept_apart",
            ),
        ),
        migrations.AlterField(
            model_name="roundingcarry",
            name="model",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="carries",
                to="attribution.generativemodel",
            ),
        ),
        migrations.AlterField(
            model_name="roundingcarry",
            name="work",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.work",
            ),
        ),
        migrations.AlterField(
            model_name="roundingcarry",
            name="creator",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.creator",
            ),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
