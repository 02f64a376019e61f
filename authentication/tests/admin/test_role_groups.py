"""The groups that stand for roles: made once, and left as they were changed."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management.sql import emit_post_migrate_signal

from authentication.models import StaffRole
from authentication.services.role_groups import make_roles

pytestmark = [pytest.mark.django_db, pytest.mark.security]


class TestMaking:
    def test_roles_are_made_once_and_left_as_they_were_changed(self, db: None) -> None:
        helper = StaffRole.objects.get(key="helper").group
        helper.permissions.clear()
        Group.objects.filter(pk=helper.pk).update(name="Hands")
        StaffRole.objects.get(key="auditor").group.delete()

        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")

        assert not Group.objects.get(name="Hands").permissions.exists()
        assert StaffRole.objects.get(key="helper").group_id == helper.pk
        assert StaffRole.objects.get(key="auditor").group.permissions.filter(
            codename="export_auditlog"
        )

    def test_a_group_of_the_installation_is_not_taken_for_a_role(self, db: None) -> None:
        StaffRole.objects.get(key="helper").group.delete()
        own = Group.objects.create(name="Helper")

        assert make_roles() == ["helper"]

        assert not own.permissions.exists()
        assert StaffRole.objects.get(key="helper").group.name == "Helper (role)"

    def test_the_roles_have_these_rights(self, db: None) -> None:
        def beyond_reading(key: str) -> set[str]:
            held = StaffRole.objects.get(key=key).group.permissions.all()
            return {it.codename for it in held if not it.codename.startswith("view_")}

        assert beyond_reading("helper") == {"unlock_user", "resend_mail", "add_staffnote"}
        assert beyond_reading("auditor") == {"export_auditlog"}
        assert "export_auditlog" not in beyond_reading("administrator")
        assert Permission.objects.filter(group__staff_role="helper").count() == 6
