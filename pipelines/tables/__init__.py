"""Tables of rows: schemas, hash buckets, Arrow, and the taxonomy."""
