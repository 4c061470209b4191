"""`visual-search init`: a feed -> a draft of a config, what was seen on the way, and what remains to be said."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.catalogue.formats.base import Columns, FeedError, Notation, RawRow
from pipelines.catalogue.photo_uris import place_in
from pipelines.catalogue.rows import column_names, format_of
from pipelines.config import PreprocessSection
from pipelines.config.formats import with_preset
from pipelines.config.places import is_remote
from pipelines.config.shop import listed
from pipelines.errors import StageError
from pipelines.models.advice import SIDE
from pipelines.shop_files.uri import address_of
from pipelines.survey.draft.columns import Guess, guessed
from pipelines.survey.draft.keyed import advice
from pipelines.survey.draft.named import Named, named_photos
from pipelines.survey.draft.notation import Written, sample, written
from pipelines.survey.draft.page import Draft, open_lines, page, question, relative
from pipelines.survey.draft.photos import (
    LOOKED_AT,
    SMALL_SIDE,
    Place,
    hosts_inside,
    lost_columns,
    missing_of,
    place_of,
    roots_of,
    size_of,
)
from pipelines.survey.draft.profile import texts_of
from pipelines.survey.draft.settings import settled
from pipelines.survey.draft.source import Source, open_source
from pipelines.survey.draft.systems import system_of
from pipelines.survey.draft.told import of_copies, of_feed, of_named, of_pages, of_photos, of_rows
from pipelines.survey.draft.trial import MOST_ROWS, Trial, refusal, rejecting, tried
from pipelines.survey.draft.words import WORDS

NEEDED = ("item_id", "photos", "category")
_NAMES = frozenset(word for words in WORDS.values() for word in words.exact) | {"image_link", "item_id", "product_id"}
"""By which the rows of a document are told from what holds them."""


@dataclass(frozen=True)
class Drafted:
    """A config's text, what to tell, and what is in the way of a run: lines to fill in, or what the reader says."""

    text: str
    told: tuple[str, ...]
    to_fill_in: tuple[str, ...]


def draft_config(feed: str, output: Path, photos: str | None, allowed_networks: Sequence[str] = ()) -> Drafted:
    """Return a config for a feed, to be written to `output`; nothing is written here.

    Raises ConfigError or StageError for a feed that is not there, or that nobody could read.
    """
    with tempfile.TemporaryDirectory(prefix="visual-search-init-") as scratch:
        try:
            source = open_source(feed, Path(scratch), allowed_networks)
            return _Drafting(source, output, photos, tuple(allowed_networks)).done()
        except FeedError as error:
            raise StageError(str(error)) from error


class _Drafting:
    def __init__(self, source: Source, output: Path, photos: str | None, networks: tuple[str, ...]) -> None:
        self._source, self._output, self._photos, self._networks = source, output, photos, networks
        self._files = [source.file]
        self._how = written(source.file)
        self._named: Named | None = None

    def done(self) -> Drafted:
        how = self._how
        names, rows, (section, trial, guess) = self._look()
        is_newest = self._is_newest(section, trial)
        if self._source.files > 1 and not is_newest:  # parts of one list, each as telling as the other
            self._files = self._source.parts()
            names, rows, (section, trial, guess) = self._look()
        sound = [row.values for row in rows if not row.code]
        place = self._place(trial)
        if place and (lost := lost_columns(place, listed(section.get("columns", {}).get("photos")), sound)):
            section, trial = self._without(section, guess, lost)
            place = self._place(trial)
        questions = {key: question(key, names) for key in self._lacking(section)}
        if "photos" in questions and (held := _holding_photos(names, sound)):
            questions["photos"] += f"; {held!r} holds photos themselves: write them to files, which the feed names"
        if "photos" in questions and self._named:
            questions["photos"] = f"photos = []: {self._named.more}; make the table that [catalogue.media] names below"
        if place and place.root is None and 2 * place.files > place.looked_at:
            example = _first_file(trial)
            questions["photo_root"] = question("photo_root", [], example)
        keys, why = self._keys(section, place, is_newest=is_newest), {**guess.why, **how.why}
        why |= self._why_place(place)
        uris = _uris(trial)
        sizes = [size_of(place, uris[:LOOKED_AT], side) if place else None for side in (SMALL_SIDE, SIDE)]
        pretrained = sizes[1][:2] if sizes[1] else None
        inside = hosts_inside(uris)
        draft = Draft(
            self._source.place,
            keys,
            why,
            questions,
            guess.left_out,
            guess.there,
            sizes[0],
            pretrained,
            self._networks,
            inside,
            self._named.more if self._named else "",
        )
        text = page(draft)
        stops = [*self._stops(section, trial), *_stops_of(place, uris)] if not questions else []
        told = (
            *of_feed(self._source, len(self._files), len(rows), trial),
            *of_photos(place, () if self._networks else inside),
            *of_named(self._named),
            *of_pages(uris),
            *of_rows(self._source, rows, trial, questions),
            *of_copies(sound, section, trial),
        )
        return Drafted(text, told, (*open_lines(text, str(self._output)), *stops))

    def _look(self) -> tuple[list[str], list[RawRow], tuple[dict[str, Any], Trial | None, Guess]]:
        """Return the columns and first rows of the files that are looked at, and the keys of [catalogue]."""
        names, rows = _looked_at(self._files, self._how.notation)
        if not rows:
            elements = "; rows of XML are elements <item> or <entry>" if format_of(self._source.file) == "xml" else ""
            raise FeedError(f"{self._source.place} has no rows{elements}; export it again")
        if len(rows) == 1 and (how := advice(rows[0].values, self._source.place)):
            raise FeedError(how)
        return names, rows, self._section(self._how, names, [row.values for row in rows if not row.code])

    def _section(
        self, how: Written, names: list[str], rows: list[dict[str, Any]]
    ) -> tuple[dict[str, Any], Trial | None, Guess]:
        """Return the keys of [catalogue], what the reader makes of them, and why each."""
        system = system_of(self._source.file, how.keys)
        if system is not None:
            keys = {key: value for key, value in how.keys.items() if key != "delimiter"}
            section, guess = {"format": system[0], **keys}, Guess({}, {"format": system[1]})
        else:
            guess = guessed(rows, names)
            self._take_named(guess, names, rows)
            section = {**how.keys, **guess.settings, "columns": guess.keys}
        stand_in = guess.keys.get("item_id") if self._lacking(section) == ["category"] else None
        if stand_in is not None:  # so that the rest can be tried all the same
            section = {**section, "columns": {**section["columns"], "category": stand_in, "category_separator": ""}}
        section, trial = settled(section, guess, self._files, rows)
        if stand_in is not None:
            section["columns"] = {k: v for k, v in section["columns"].items() if not k.startswith("category")}
        return section, trial, guess

    def _without(
        self, section: dict[str, Any], guess: Guess, lost: Sequence[str]
    ) -> tuple[dict[str, Any], Trial | None]:
        """Return the keys without columns of photos that are not there, and what the reader makes of them."""
        left = [name for name in section["columns"]["photos"] if name not in lost]
        section = {**section, "columns": {**section["columns"], "photos": left if len(left) > 1 else left[0]}}
        guess.left_out += [f"{name!r} names photos that are not there, as those of other columns are" for name in lost]
        return section, tried(section, self._files)

    def _take_named(self, guess: Guess, names: list[str], rows: list[dict[str, Any]]) -> None:
        """Take the column by whose texts files are called, where none names photos."""
        if "photos" in guess.keys or (self._photos and is_remote(self._photos)):
            return
        named = self._named = named_photos(rows, names, self._roots())
        if named is None:
            return
        texts = [text for row in rows for text in texts_of(row.get(named.column))]
        if named.more and len({*texts}) == len(texts) and named.column not in guess.keys.values():
            guess.take("item_id", named.column, "files are called by it, and no two rows have the same one")
        if named.pattern:
            guess.take("photos", named.column, "no column names photos, but files are called by this one")
            guess.settings["photo_pattern"] = named.pattern
            guess.why["photo_pattern"] = f"{named.there} of the first {named.looked_at} are files that are called so"

    def _roots(self) -> list[str]:
        """Return the folders in which files may be called by a column: not what else lies beside the feed's own."""
        folder = self._source.folder
        if self._photos or folder is None:
            return [self._photos] if self._photos else []
        return [root for root in roots_of(folder) if root != str(folder.parent)]

    def _lacking(self, section: dict[str, Any]) -> list[str]:
        return [] if "format" in section else [key for key in NEEDED if key not in section["columns"]]

    def _stops(self, section: dict[str, Any], trial: Trial | None) -> list[str]:
        """Return what would stop a run as it is, and is no matter of a line to fill in."""
        found = rejecting(trial) if trial else refusal(section, self._files)
        return [f"STOP {found}"] if found else []

    def _place(self, trial: Trial | None) -> Place | None:
        if trial is None:
            return None
        given = str(Path(self._photos).absolute()) if self._photos and ":" not in self._photos else self._photos
        return place_of(_uris(trial), self._source.folder, given)

    def _keys(self, section: dict[str, Any], place: Place | None, *, is_newest: bool) -> dict[str, Any]:
        folder = self._output.absolute().parent
        keys = {"snapshot": relative(self._source.place, folder), **section}
        if is_newest:
            keys["snapshot_files"] = "newest"
        start = place.root if place else self._named.root if self._named else None
        if start is not None:
            root = relative(start, folder)
            keys |= {} if root == "." else {"photo_root": root}
            before = with_preset(section).get("photo_prefix", "")
            keys |= {"photo_prefix": before + place.prefix} if place and place.prefix else {}
        return keys

    def _is_newest(self, section: dict[str, Any], trial: Trial | None) -> bool:
        """Tell whether files are full lists of several days: more than half of the items stand in both of two.

        Their names differ by the day; those of lists that are parts, as of countries, by words.
        """
        before = self._source.before() if trial and self._source.by_number else None
        if trial is None or before is None:
            return False
        earlier = tried(section, [before])
        ids = {item.item_id for item in trial.items}
        return earlier is not None and 2 * sum(item.item_id in ids for item in earlier.items) > len(earlier.items)

    def _why_place(self, place: Place | None) -> dict[str, str]:
        if place is None:
            return {}
        seen = f"{place.there} of the first {place.files or place.looked_at} photos are there"
        if place.files == 0 and place.there == 0:
            seen = "as given to init"
        newest = "files of several days name the same items"
        return {"photo_root": seen, "photo_prefix": "before the paths of photos", "snapshot_files": newest}


def _looked_at(files: Sequence[Path], notation: Notation) -> tuple[list[str], list[RawRow]]:
    """Return the names of some files' columns, and the first rows of each with the cells of all of its own."""
    names, rows = list[str](), list[RawRow]()
    for file in files:
        own = column_names(file, notation, Columns(read=_NAMES, likely=_NAMES))
        names += [name for name in own if name not in names] if names else own
        columns = Columns(read=frozenset(name for name in own if name))
        rows += sample(file, notation, columns, MOST_ROWS // len(files))
    return names, rows


def _holding_photos(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    """Return the first column with photos in its cells, as data: URIs, "" where there is none."""
    return next((name for name in names if any(str(row.get(name)).startswith("data:image/") for row in rows)), "")


def _stops_of(place: Place | None, uris: Sequence[str]) -> Iterator[str]:
    """Yield why so many photos cannot be had that a run would stop."""
    limit = PreprocessSection.model_fields["max_rejected_share"].default
    templates = [word for uri in uris if address_of(uri, "") is not None and (word := place_in(uri))]
    if len(templates) > limit * len(uris):
        yield f"STOP {templates[0]!r} in photo addresses looks like a place to fill in: let the export write whole ones"
    missing = missing_of(place, uris) if place else ""
    if place and missing and place.files - place.there > limit * place.looked_at:
        yield (
            f"STOP {place.files - place.there} of the first {place.looked_at} photos are missing, such as {missing}: "
            f"over preprocess.max_rejected_share = {limit:.0%}, so a run would stop; mend the feed's paths or add them"
        )


def _uris(trial: Trial | None) -> list[str]:
    return [photo.image_uri for item in (trial.items if trial else ()) for photo in item.photos]


def _first_file(trial: Trial | None) -> str:
    return next((uri for uri in _uris(trial) if address_of(uri, "") is None), "")


def check_free(output: Path, *, force: bool) -> None:
    """Raise StageError where a config cannot be written, or only over another file."""
    if not output.absolute().parent.is_dir():
        raise StageError(f"there is no folder {output.absolute().parent}; make it, or name another file with --output")
    if output.exists() and not force:
        raise StageError(f"{output} is there already; name another file with --output, or write over it with --force")
