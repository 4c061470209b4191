"""What requests may say and what answers hold, as the OpenAPI description tells it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipelines.neighbours.query.filters import Filter
from transforms.photo import Box

MAX_RESULTS = 200
RELEASE_ID = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,99}$"
LISTS = frozenset({"category", "attribute", "box"})
"""Parameters that may be given more than once."""


def box_of(text: str) -> Box:
    """Return the box that four numbers name. Raises ValueError."""
    try:
        left, top, right, bottom = (float(number) for number in text.split(","))
    except ValueError:
        raise ValueError(
            f"{text!r} is no box; write left,top,right,bottom in pixels of the photo as it is shown"
        ) from None
    return Box(left, top, right, bottom)


def _checked_box(text: str) -> str:
    box_of(text)
    return text


def _checked_attribute(text: str) -> str:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"{text!r} names no value; write NAME=VALUE, such as colour=red")
    return text


class Parameters(BaseModel):
    """What an address says beside its resource: nothing, unless a model says more; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class ReleaseParameter(Parameters):
    """Which release is asked."""

    release: Annotated[str, Field(pattern=RELEASE_ID)] | None = Field(
        None, description="a release that is kept, to compare it with the one that answers; unset, that one"
    )


class FilterParameters(ReleaseParameter):
    """How many results, and what they must be."""

    k: Annotated[int, Field(ge=1, le=MAX_RESULTS, description="results of each query")] = 10
    category: list[str] = Field([], description="a path of categories from the top, a name each; all below it is found")
    attribute: list[Annotated[str, AfterValidator(_checked_attribute)]] = Field(
        [], description="NAME=VALUE; of one name several values may be given, and one of them is enough"
    )
    price_from: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    price_to: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    currency: str = Field("", description="of the prices; unset, whatever the shop has", max_length=8)
    in_stock: bool = Field(False, description="leave out what the shop says is out of stock")

    @model_validator(mode="after")
    def _has_prices_in_order(self) -> FilterParameters:
        if self.price_from is not None and self.price_to is not None and self.price_from > self.price_to:
            raise ValueError(f"price_from = {self.price_from:g} is above price_to = {self.price_to:g}; exchange them")
        return self

    @property
    def wanted(self) -> Filter | None:
        """The filter that is asked for, None where all may be found."""
        values: dict[str, frozenset[str]] = {}
        for told in self.attribute:
            name, _, value = told.partition("=")
            values[name] = values.get(name, frozenset()) | {value}
        asked = Filter(
            tuple(self.category), values, self.price_from, self.price_to, self.currency, in_stock=self.in_stock
        )
        return None if asked == Filter() else asked


class SearchParameters(FilterParameters):
    """What is asked beside photos."""

    box: list[Annotated[str, AfterValidator(_checked_box)]] = Field(
        [],
        description="left,top,right,bottom in pixels of the photo as it is shown: only that part is looked for. One "
        "for each photo, in their order, or none",
        examples=[["120,80,640,720"]],
    )
    explain: bool = Field(False, description="tell how the results were found")
    item: str = Field("", description="an item's id: tell with `explain` at which step it fell out", max_length=4096)

    @model_validator(mode="after")
    def _explains_what_it_tells_of_an_item(self) -> SearchParameters:
        if self.item and not self.explain:
            raise ValueError(f"item = {self.item[:80]!r} is told of where results are explained; add explain=true")
        return self


class HistoryParameters(Parameters):
    """How much of the live log."""

    limit: Annotated[int, Field(ge=1, le=1000, description="entries, the newest")] = 50


class QualityParameters(Parameters):
    """How much of each list of findings."""

    limit: Annotated[int, Field(ge=1, le=100, description="findings of each kind, the weakest")] = 20


class ResultModel(BaseModel):
    """One result: an item, and the photo of it that was found."""

    item_id: str
    score: float = Field(description="similarity of that photo to the query's, 1 at most")
    category: list[str]
    image_uri: str = Field(description="the photo as the shop names it")
    thumbnail: str = Field(description="the photo in small, from this service")
    title: str | None = None
    price: float | None = None
    currency: str | None = None
    availability: str | None = Field(None, description="in_stock, out_of_stock, preorder or backorder")


class ProblemModel(BaseModel):
    """What is wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class AnswerModel(BaseModel):
    """The answer to one photo: results, or the problem that it has."""

    query: str = Field(description="the name of the photo's file, or its number from 1")
    results: list[ResultModel] | None = None
    explain: dict[str, Any] | None = None
    problem: ProblemModel | None = None


class SearchAnswer(BaseModel):
    """The answers to a request's photos, in their order, all by one release."""

    release_id: str
    answers: list[AnswerModel]


class SimilarAnswer(BaseModel):
    """What looks like an item; itself, items with the same photo and its variants are left out."""

    release_id: str
    item_id: str
    results: list[ResultModel]


class PhotoModel(BaseModel):
    """One photo of an item."""

    image_uri: str
    thumbnail: str


class ItemAnswer(BaseModel):
    """What the release knows of an item."""

    release_id: str
    item_id: str
    category: list[str]
    photos: list[PhotoModel]
    title: str | None = None
    price: float | None = None
    currency: str | None = None
    availability: str | None = None


class CategoryFacet(BaseModel):
    """A category and how many items are in it or below it."""

    path: list[str]
    items: int


class ValueFacet(BaseModel):
    """A value of an attribute and how many items have it."""

    value: str
    items: int


class FacetsAnswer(BaseModel):
    """What there is to filter by."""

    release_id: str
    items: int
    categories: list[CategoryFacet]
    attributes: dict[str, list[ValueFacet]]
    currencies: list[str]


class ReleaseAnswer(BaseModel):
    """The release that answers, and what is live where that is another one."""

    release_id: str
    model_id: str
    index_id: str
    space_id: str
    catalogue_id: str
    number: int = Field(description="of the live log's entry that was reached")
    loaded_at: str
    counts: dict[str, int]
    live: dict[str, Any] | None = Field(None, description="what is live and could not be loaded, and why")


class HistoryAnswer(BaseModel):
    """The live log, newest entry first."""

    release_id: str
    entries: list[dict[str, Any]]


class DecisionBody(BaseModel):
    """What a curator decides, and why; `undo` names the number that it `undoes`."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["not_alike", "category", "bad_photo", "undo"]
    item_ids: list[Annotated[str, Field(max_length=1000)]] = Field([], max_length=2)
    category: list[Annotated[str, Field(max_length=1000)]] = Field([], max_length=20)
    image_uri: str = Field("", max_length=4000)
    digest: str = Field("", max_length=64)
    undoes: int = Field(0, ge=0)
    reason: str = Field("", max_length=2000)

    @model_validator(mode="after")
    def _says_why(self) -> DecisionBody:
        if self.action != "undo" and not self.reason.strip():
            raise ValueError("say why in reason: who finds the decision next year will ask")
        return self


class QualityAnswer(BaseModel):
    """Where the release is weakest; each list has the weakest first."""

    release_id: str
    items: int = Field(description="that were looked at")
    lists: list[dict[str, Any]] = Field(description="kind, title, meaning and findings")
    notes: list[str]
    may_decide: bool = Field(description="whether this key may POST /v1/curated")


class CuratedAnswer(BaseModel):
    """The decisions that stand."""

    release_id: str
    decisions: list[dict[str, Any]]


class NotedAnswer(BaseModel):
    """The number of a decision, and whether it is new."""

    release_id: str
    number: int
    changed: bool
