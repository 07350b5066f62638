"""The privacy desk's front: guard what comes in, find personal data, keep keys and secrets."""

from castalia.privacy.guard import LONGEST, guard
from castalia.privacy.personal import personal, personal_kinds
from castalia.privacy.vault import Vault

__all__ = ["LONGEST", "Vault", "guard", "personal", "personal_kinds"]
