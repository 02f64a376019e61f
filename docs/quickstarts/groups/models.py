from typing import ClassVar

from django.conf import settings
from django.db import models


class Membership(models.Model):
    """A person's place in a group. It ends with the account."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    group = models.CharField(max_length=80)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Membership"]] = models.Manager()

    def __str__(self) -> str:
        return self.group
