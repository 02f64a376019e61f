from django.conf import settings
from django.db import migrations
from django.utils import timezone


def name_the_locks_that_stand(apps, schema_editor):
    """Say of locks set by guesses that they were: without a reason they would show to strangers."""
    locked = apps.get_model("authentication", "User").objects.filter(locked_until__gt=timezone.now())
    locked.filter(failed_login_attempts__gte=settings.ACCOUNT_LOCKOUT_THRESHOLD).update(lock_reason="guessed")


class Migration(migrations.Migration):
    # Apart from the column's own, which keeps everybody from the table while it lasts.

    dependencies = [
        ('authentication', '0014_lock_reason'),
    ]

    operations = [
        migrations.RunPython(name_the_locks_that_stand, migrations.RunPython.noop),
    ]
