from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0013_payee_changed_at")]

    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text())]
