"""Fill `username_skeleton`, in batches of a transaction each, then index it.

It can be interrupted and begun again: only rows without a value are read.
"""

from itertools import count

from django.db import migrations, models

from authentication.utils.identifiers import username_skeleton

BATCH = 2_000


def fill(apps, schema_editor):
    users = apps.get_model("authentication", "User").objects.using(schema_editor.connection.alias)
    last = None
    for _ in count():
        due = users.filter(username_skeleton="")
        if last is not None:
            due = due.filter(pk__gt=last)
        batch = list(due.order_by("pk").only("pk", "username")[:BATCH])
        if not batch:
            return
        for user in batch:
            user.username_skeleton = username_skeleton(user.username)
        # Without saving: a name that was changed meanwhile keeps the value of its own.
        for user in batch:
            users.filter(pk=user.pk, username=user.username, username_skeleton="").update(
                username_skeleton=user.username_skeleton
            )
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
