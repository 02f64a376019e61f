"""Fill `username_skeleton`, in batches of a transaction each, then index it.

It can be interrupted and begun again: only rows without a value are read.
"""

import uuid

from django.db import migrations, models, transaction

from authentication.utils.identifiers import username_skeleton

BATCH = 500


def fill(apps, schema_editor):
    alias = schema_editor.connection.alias
    users = apps.get_model("authentication", "User").objects.using(alias)
    last = uuid.UUID(int=0)
    while True:
        with transaction.atomic(using=alias):
            # Locked, so that a name that changes meanwhile keeps the value of its own.
            due = users.filter(username_skeleton="", pk__gt=last).select_for_update()
            batch = list(due.order_by("pk").only("pk", "username")[:BATCH])
            for user in batch:
                user.username_skeleton = username_skeleton(user.username)
            users.bulk_update(batch, ["username_skeleton"])
        if len(batch) < BATCH:
            return
        last = batch[-1].pk


class Migration(migrations.Migration):
    # Each statement commits by itself, so that no row stays locked.
    atomic = False
    dependencies = [("authentication", "0022_usernames_that_look_alike")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["username_skeleton"], name="user_username_skeleton"),
        ),
    ]
