"""What is edited by people who read it before: the version tells whether it is still what they read."""

from storecore.errors import PreconditionFailed


class Versioned:
    """An entity whose ``version`` grows by one with every change."""

    __slots__ = ()

    version: int

    def expect(self, version: int | None) -> None:
        """Raises ``PreconditionFailed`` unless this is the version the caller read (None: any will do)."""
        if version is not None and version != self.version:
            raise PreconditionFailed()
