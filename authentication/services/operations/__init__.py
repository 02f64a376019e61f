"""Operations: health, metrics, retention, key rotation."""

from .database_connections import drop_lost_connections, statements_within
from .database_faults import is_database_fault
from .health import HealthService
from .heartbeat import write_heartbeat
from .key_order import announce_keys, faults_of_key_order
from .key_rotation import EncryptionService
from .metrics import MetricsService
from .retention import RetentionService
from .seal_mails import mail_newest_seal

__all__ = [
    "EncryptionService",
    "HealthService",
    "MetricsService",
    "RetentionService",
    "announce_keys",
    "drop_lost_connections",
    "faults_of_key_order",
    "is_database_fault",
    "mail_newest_seal",
    "statements_within",
    "write_heartbeat",
]
