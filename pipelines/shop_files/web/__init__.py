"""Photos and feeds behind https:// addresses, asked for politely and safely."""
