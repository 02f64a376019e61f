"""Operations: health, metrics, retention, key rotation."""

from .database_connections import drop_lost_connections
from .health import HealthService
from .heartbeat import write_heartbeat
from .key_rotation import EncryptionService
from .metrics import MetricsService
from .retention import RetentionService

__all__ = [
    "EncryptionService",
    "HealthService",
    "MetricsService",
    "RetentionService",
    "drop_lost_connections",
    "write_heartbeat",
]
