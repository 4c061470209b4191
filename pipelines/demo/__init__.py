"""The synthetic catalogue: seeded drawings of products, their feeds, and everything that can be wrong with them."""
