# People are found while staff type. The indexes are built while the service serves.

from django.db import migrations, models

from ._operations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('authentication', '0033_hourly_counts'),
    ]

    operations = [
        AddIndexOnline(
            model_name='auditlog',
            index=models.Index(condition=models.Q(models.Q(('event_type', 'token_refresh'), _negated=True), models.Q(('correlation_id', ''), _negated=True)), fields=['correlation_id'], name='audit_correlation_id'),
        ),
        AddIndexOnline(
            model_name='user',
            index=models.Index(fields=['email_canonical'], name='user_email_begins', opclasses=['varchar_pattern_ops']),
        ),
        AddIndexOnline(
            model_name='user',
            index=models.Index(fields=['username_canonical'], name='user_username_begins', opclasses=['varchar_pattern_ops']),
        ),
    ]
