"""What work will take, before it is begun: photos, seconds, bytes and money, by what the store's own runs took."""
