"""All archetypes of the synthetic catalogue, in the order in which they share out leaf categories."""

from pipelines.demo.drawings.accessories import ACCESSORIES
from pipelines.demo.drawings.bags import BAGS
from pipelines.demo.drawings.bottoms import BOTTOMS
from pipelines.demo.drawings.footwear import FOOTWEAR
from pipelines.demo.drawings.furniture import FURNITURE
from pipelines.demo.drawings.home import HOME
from pipelines.demo.drawings.leisure import LEISURE
from pipelines.demo.drawings.tops import TOPS
from pipelines.demo.sketch import Archetype

ARCHETYPES: tuple[Archetype, ...] = (*FOOTWEAR, *BAGS, *TOPS, *BOTTOMS, *ACCESSORIES, *HOME, *FURNITURE, *LEISURE)
