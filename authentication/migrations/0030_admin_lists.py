# Every list of the admin is read by an index, newest first. The indexes are built while the service
# serves.

from django.db import migrations, models

from ._operations import AddIndexOnline, RemoveIndexOnline

NAMES = """
    to_tsvector('simple', first_name || ' ' || last_name || ' ' || translate(username, '._-', '   '))
"""


def build_name_index(apps, schema_editor):
    # For words of a name. It needs no extension, unlike trigrams, and SQLite has nothing like it.
    if schema_editor.connection.vendor != "postgresql":
        return
    table = apps.get_model("authentication", "User")._meta.db_table
    schema_editor.execute("SET lock_timeout = 0")
    schema_editor.execute('DROP INDEX CONCURRENTLY IF EXISTS "user_names"')
    schema_editor.execute(
        f'CREATE INDEX CONCURRENTLY "user_names" ON "{table}" USING gin (({NAMES}))'
    )
    schema_editor.execute("RESET lock_timeout")


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('authentication', '0029_receipts_and_mail_causes'),
    ]

    operations = [
        RemoveIndexOnline(
            model_name='outgoingemail',
            name='outbox_dead',
        ),
        RemoveIndexOnline(
            model_name='emailchange',
            name='email_change_reserved',
        ),
        RemoveIndexOnline(
            model_name='user',
            name='user_email_verified',
        ),
        AddIndexOnline(
            model_name='actiontoken',
            index=models.Index(fields=['action', 'id'], name='action_token_action'),
        ),
        AddIndexOnline(
            model_name='auditlog',
            index=models.Index(condition=models.Q(('risk_level', 'low'), _negated=True), fields=['risk_level', '-timestamp'], name='audit_risk'),
        ),
        AddIndexOnline(
            model_name='consent',
            index=models.Index(fields=['accepted_at'], name='consent_accepted_at'),
        ),
        AddIndexOnline(
            model_name='emailchange',
            index=models.Index(fields=['requested_at'], name='email_change_requested'),
        ),
        AddIndexOnline(
            model_name='emailchange',
            index=models.Index(fields=['old_email_canonical'], name='email_change_from'),
        ),
        AddIndexOnline(
            model_name='outgoingemail',
            index=models.Index(fields=['created_at'], name='outbox_created_at'),
        ),
        AddIndexOnline(
            model_name='outgoingemail',
            index=models.Index(fields=['kind', 'created_at'], name='outbox_kind'),
        ),
        AddIndexOnline(
            model_name='outgoingemail',
            index=models.Index(condition=models.Q(('status', 'sent'), _negated=True), fields=['status', 'created_at'], name='outbox_status'),
        ),
        AddIndexOnline(
            model_name='secondfactorremoval',
            index=models.Index(fields=['requested_at'], name='factor_removal_requested'),
        ),
        AddIndexOnline(
            model_name='tokenblacklist',
            index=models.Index(condition=models.Q(('reason', 'rotation'), _negated=True), fields=['reason', 'id'], name='blacklist_reason'),
        ),
        AddIndexOnline(
            model_name='user',
            index=models.Index(fields=['email_verified', 'created_at'], name='user_email_verified'),
        ),
        AddIndexOnline(
            model_name='user',
            index=models.Index(condition=models.Q(('is_active', False)), fields=['created_at'], name='user_disabled'),
        ),
        AddIndexOnline(
            model_name='user',
            index=models.Index(condition=models.Q(('is_staff', True), ('is_superuser', True), _connector='OR'), fields=['created_at'], name='user_staff'),
        ),
        AddIndexOnline(
            model_name='userprofile',
            index=models.Index(condition=models.Q(('visibility', 'private'), _negated=True), fields=['visibility', 'user'], name='profile_visibility'),
        ),
        AddIndexOnline(
            model_name='usersession',
            index=models.Index(condition=models.Q(('is_active', False)), fields=['expires_at'], name='session_ended'),
        ),
        AddIndexOnline(
            model_name='usersession',
            index=models.Index(condition=models.Q(('end_reason', ''), _negated=True), fields=['end_reason', 'expires_at'], name='session_end_reason'),
        ),
        migrations.RunPython(build_name_index, migrations.RunPython.noop),
    ]
