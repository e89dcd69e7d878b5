import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attribution", "0008_settle_by_the_thousand"),
        ("ledger", "0009_drawn_holds"),
    ]

    operations = [
        migrations.AddField(
            model_name="query",
            name="hold",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.hold",
                to_field="key",
            ),
        ),
    ]
