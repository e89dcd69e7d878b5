from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0015_manifest_row_indexes"),
    ]

    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text()),
    ]
