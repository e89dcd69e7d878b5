from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    """Let the service use the tables of the libraries; ours are granted by their own apps."""

    dependencies = [
        ("account", "0009_emailaddress_unique_primary_email"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("registry", "0004_idempotent_requests"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]

    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text())]
