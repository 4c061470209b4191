"""Why an item is not found: its way from the feed's row to a search's results, and the step at which it fell out."""
