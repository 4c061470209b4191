"""The catalogue stage: the shop's feeds -> one state an item; photos are names here, never bytes."""
