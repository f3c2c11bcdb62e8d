"""timm, which the engine's parts come from; installed with `archdsl[train]`."""

from __future__ import annotations

from archdsl.diagnostics.core import ArchError
from archdsl.quiet import import_torch


def import_timm() -> None:
    """Import timm; raises ArchError E646 where it, or torchvision, is not there or does not load."""
    import_torch()
    try:
        import timm.data
        import timm.loss
        import timm.optim
        import timm.scheduler
        import timm.utils  # noqa: F401
    except (ImportError, RuntimeError) as error:  # torchvision raises the latter where it is built for another torch
        raise ArchError.of("E646", detail=str(error).splitlines()[0]) from None
