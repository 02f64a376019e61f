import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import authentication.models.fields


class Migration(migrations.Migration):
    dependencies = [("authentication", "0021_second_factor_removals")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="username_skeleton",
            field=authentication.models.fields.SkeletonField(),
        ),
        migrations.CreateModel(
            name="UsernameHold",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(editable=False, max_length=64, unique=True)),
                ("skeleton", models.CharField(editable=False, max_length=64)),
                ("reason", models.CharField(choices=[("claimed", "Asked for at a registration or a change"), ("left", "Given up by its account")], editable=False, max_length=8)),
                ("held_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("user", models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["skeleton"], name="username_hold_skeleton"),
                    models.Index(fields=["held_at"], name="username_hold_held_at"),
                ],
            },
        ),
    ]
