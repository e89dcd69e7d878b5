import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0004_weigh_by_every_method"),
        ("registry", "0010_intake"),
    ]

    operations = [
        migrations.AddField(
            model_name="generativemodel",
            name="next_manifest",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.manifest",
            ),
        ),
    ]
