import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0014_signer_reminders"),
    ]

    operations = [
        # First the new ones, so that no look-up is ever without.
        migrations.AddIndex(
            model_name="manifestrow",
            index=models.Index(
                condition=models.Q(("work__isnull", False)),
                fields=["work", "manifest"],
                name="manifest_row_work",
            ),
        ),
        migrations.AddIndex(
            model_name="manifestrow",
            index=models.Index(
                condition=models.Q(("work__isnull", False)),
                fields=["manifest", "work"],
                name="manifest_row_matched",
            ),
        ),
        migrations.AddIndex(
            model_name="manifestrow",
            index=models.Index(
                condition=models.Q(("decision__in", ["deny", "license"])),
                fields=["manifest", "row_number"],
                name="manifest_row_violation",
            ),
        ),
        migrations.AlterField(
            model_name="manifestrow",
            name="manifest",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rows",
                to="registry.manifest",
            ),
        ),
        migrations.AlterField(
            model_name="manifestrow",
            name="work",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="manifest_rows",
                to="registry.work",
            ),
        ),
    ]
