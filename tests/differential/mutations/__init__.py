"""What is done to tokens: tables of mutations, by the part of the token that they change."""

from __future__ import annotations

from ..drafts import Mutation
from .claims import CLAIMS, VALUES
from .header import HEADER
from .shape import BASE64, JSON, STRUCTURE
from .signatures import SIGNATURE

ALL: tuple[Mutation, ...] = (*STRUCTURE, *BASE64, *JSON, *HEADER, *CLAIMS, *VALUES, *SIGNATURE)
