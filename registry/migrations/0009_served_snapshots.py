from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0008_revocations")]

    operations = [
        migrations.AddField(
            model_name="snapshotrelease",
            name="complete",
            field=models.BooleanField(db_default=False),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
