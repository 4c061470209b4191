"""What every section is made of: a frozen model in which an unknown key is an error, and the types of its values."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_IMAGE = r"^[\w.-]+(:\d+)?(/[\w.-]+)+(:[\w.-]+|@sha256:[0-9a-f]{64})$"


def _names_a_version(image: str) -> str:
    if not re.fullmatch(_IMAGE, image):
        raise ValueError(
            "write REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST; without a tag it may change while it is used"
        )
    return image


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Region = Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+\d+$")]
Account = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
ImageName = Annotated[
    str,
    AfterValidator(_names_a_version),
    Field(description="with tag or digest", json_schema_extra={"pattern": _IMAGE}),
]
LabelKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
LabelValue = Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,63}$")]


class Section(BaseModel):
    """A frozen section in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)
