"""Operations: health, metrics, retention, key rotation."""

from .health import HealthService
from .key_rotation import EncryptionService
from .metrics import MetricsService
from .retention import RetentionService

__all__ = [
    "EncryptionService",
    "HealthService",
    "MetricsService",
    "RetentionService",
]
