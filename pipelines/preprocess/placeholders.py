"""Which photos and group_ids stand for nothing: more items have them than a group may hold, of many leaf categories.

A shop may say of how many items a photo is none of a product any more, whatever their categories.

A "no image" or a group_id "0" is no product's. One product of many sizes and colours may be more than a group of the
splits may hold, and is one to a search. Such a photo is a reject, such a group_id makes no variants.
"""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.preprocess.groups import GROUP, LOOK, PHOTO
from pipelines.preprocess.job import Job
from pipelines.preprocess.meanings import MOST_LEAVES, PLACEHOLDER
from pipelines.tables.arrow import flat


def keep_placeholders(job: Job) -> frozenset[bytes]:
    """Return the keys of the group_ids that are placeholders.

    They are kept for those who read the table of photos, and beside them the keys of the items that are no variants.
    """
    unlinked = job.store.read_json(job.unlinked)
    found = sorted(key for kind, key, _, leaves in unlinked["common"] if kind == GROUP and leaves > MOST_LEAVES)
    job.store.put(job.placeholders, json.dumps([*found, *unlinked["apart"]]).encode())
    return frozenset(map(bytes.fromhex, found))


def reject_placeholders(photos: pa.Table, common: pa.Table, most_of_photo: int | None = None) -> pa.Table:
    """Return photos (with digest, phash and code) in which prepared ones that are placeholders have that code.

    `common` (groups.COMMON) says which keys too many items have; `most_of_photo` items may have a photo.
    """
    is_none = pc.field("leaves") > MOST_LEAVES
    of_many = common.filter(is_none if most_of_photo is None else is_none | (pc.field("items") > most_of_photo))
    if not of_many.num_rows:
        return photos
    keys = {kind: flat(of_many.filter(pc.field("kind") == kind)["key"]) for kind in (PHOTO, LOOK)}
    names = pc.binary_slice(flat(photos["digest"]).cast(pa.binary()), 0, 8).cast(pa.binary(8))
    held = pc.or_(
        pc.is_in(names, value_set=keys[PHOTO]).fill_null(False),
        pc.is_in(flat(photos["phash"]), value_set=keys[LOOK]).fill_null(False),
    )
    code = flat(photos["code"])
    found = pc.if_else(pc.and_(held, pc.equal(code, "")), pa.scalar(PLACEHOLDER), code)
    return photos.set_column(photos.schema.get_field_index("code"), "code", found)
