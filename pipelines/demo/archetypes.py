"""All archetypes of the synthetic catalogue, in the order in which they share out leaf categories."""

from typing import Final

from pipelines.demo.drawings.accessories import ACCESSORIES
from pipelines.demo.drawings.bags import BAGS
from pipelines.demo.drawings.bottoms import BOTTOMS
from pipelines.demo.drawings.decoration import DECORATION
from pipelines.demo.drawings.footwear import FOOTWEAR
from pipelines.demo.drawings.furniture import FURNITURE
from pipelines.demo.drawings.headwear import HEADWEAR
from pipelines.demo.drawings.heels import HEELS
from pipelines.demo.drawings.kitchen import KITCHEN
from pipelines.demo.drawings.leisure import LEISURE
from pipelines.demo.drawings.outfits import OUTFITS
from pipelines.demo.drawings.seating import SEATING
from pipelines.demo.drawings.sports import SPORTS
from pipelines.demo.drawings.tops import TOPS
from pipelines.demo.sketch import Archetype

ARCHETYPES: Final[tuple[Archetype, ...]] = (
    *FOOTWEAR, *HEELS, *BAGS, *TOPS, *OUTFITS, *BOTTOMS, *HEADWEAR, *ACCESSORIES, *KITCHEN, *DECORATION, *SEATING,
    *FURNITURE, *SPORTS, *LEISURE,
)  # fmt: skip
