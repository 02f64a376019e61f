# The tables may have millions of rows, so the indexes are built while the service serves.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ._operations import AddIndexOnline

# A table of millions of rows is vacuumed by default when a fifth of it is dead.
STORAGE = {
    "auditlog": {"vacuum_scale_factor": 0.01, "analyze_scale_factor": 0.02},
    "outgoingemail": {"vacuum_scale_factor": 0.02, "analyze_scale_factor": 0.02},
    "tokenblacklist": {"vacuum_scale_factor": 0.02, "analyze_scale_factor": 0.02},
    "usersession": {"vacuum_scale_factor": 0.02, "analyze_scale_factor": 0.02},
}


def vacuum_often(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for name, options in STORAGE.items():
        table = apps.get_model("authentication", name)._meta.db_table
        values = ", ".join(f"autovacuum_{key} = {value}" for key, value in options.items())
        schema_editor.execute(f'ALTER TABLE "{table}" SET ({values})')


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('authentication', '0026_session_last_client'),
    ]

    operations = [
        AddIndexOnline(
            model_name='auditlog',
            index=models.Index(condition=models.Q(('event_type', 'token_refresh'), _negated=True), fields=['user', '-timestamp'], name='audit_user_shown'),
        ),
        AddIndexOnline(
            model_name='auditlog',
            index=models.Index(condition=models.Q(('event_type__in', ['login_failed', 'account_locked']), ('user', None)), fields=['timestamp'], name='audit_without_account'),
        ),
        AddIndexOnline(
            model_name='user',
            index=models.Index(condition=models.Q(('lock_reason', 'guessed'), ('locked_until__isnull', False)), fields=['locked_until'], name='user_locked'),
        ),
        migrations.AlterField(
            model_name='auditlog',
            name='user',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(vacuum_often, migrations.RunPython.noop),
    ]
