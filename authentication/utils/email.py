"""Mail, for other apps: the service under the specification's name."""

from authentication.services import DeliverabilityService, EmailService

__all__ = ["DeliverabilityService", "EmailService"]
