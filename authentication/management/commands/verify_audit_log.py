"""Checks the audit log against its seals."""

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.progress import Progress
from authentication.services.audit import (
    AuditExportService,
    AuditFilter,
    AuditVerificationService,
)

_SHOWN = 20
_SEAL = re.compile(r"\d+:[0-9a-f]{64}")


class Command(BaseCommand):
    """Names the events that were changed, removed or added since they were sealed."""

    help = "Check the audit log against its seals; the exit code is 1 if it was tampered with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seal",
            default="",
            metavar="NUMBER:DIGEST",
            help="a seal that was logged or mailed, which must be among those found",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        known = options["seal"]
        if known and not _SEAL.fullmatch(known):
            raise CommandError("--seal: give the number and the digest, as 12:0123…, from a mail.")
        total = AuditExportService.count(AuditFilter()) if self.stderr.isatty() else 0
        with Progress("events", total, self.stderr) as progress:
            done = AuditVerificationService.verify(known=known, on_seal=progress.advance)
        for finding in done.findings[:_SHOWN]:
            self.stdout.write(f"{finding.what}: {finding.name}")
        if len(done.findings) > _SHOWN:
            self.stdout.write(f"and {len(done.findings) - _SHOWN} more")
        self.stdout.write(
            f"{done.events} events in {done.seals} seals were checked. An erasure has blanked"
            f" {done.amended} of them. {done.unsealed} newer ones are not sealed yet."
        )
        if done.is_known_gone:
            self.stdout.write("The seal you gave is older than the events that are kept.")
        if done.findings:
            raise CommandError("The audit log was tampered with.", returncode=1)
        self.stdout.write(f"Nothing was changed. The newest seal: {done.head or 'none yet'}")
