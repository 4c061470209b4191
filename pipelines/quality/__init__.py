"""Quality control: the weakest matches of a release, and what curators decide of them."""
