# Each refresh writes every index of its session and of the revoked tokens. These were read by no
# query: the keys and fingerprints of sessions, the twins for LIKE, and the account of a session,
# with which `session_user_active` begins.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ._operations import RemoveIndexOnline

LIKE_TWINS = """
    SELECT indexrelid::regclass FROM pg_index
    JOIN pg_opclass ON pg_opclass.oid = indclass[0]
    WHERE indrelid IN (
        'authentication_usersession'::regclass, 'authentication_tokenblacklist'::regclass
    ) AND opcname = 'varchar_pattern_ops'
"""


def drop_like_twins(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(LIKE_TWINS)
        names = [name for name, in cursor.fetchall()]
    schema_editor.execute("SET lock_timeout = 0")
    for name in names:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    schema_editor.execute("RESET lock_timeout")


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('authentication', '0030_admin_lists'),
    ]

    operations = [
        RemoveIndexOnline(
            model_name='usersession',
            name='session_key',
        ),
        RemoveIndexOnline(
            model_name='usersession',
            name='session_fingerprint',
        ),
        migrations.AlterField(
            model_name='usersession',
            name='user',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunPython(drop_like_twins, migrations.RunPython.noop),
    ]
