"""Operations of the ARM plane."""

from __future__ import annotations

from emulator.frame import Route

ROUTES: list[Route] = []
