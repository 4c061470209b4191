"""What happens to weights: models, heads, losses, training and export; knows no store and no Beam."""
