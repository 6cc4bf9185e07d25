"""Call records in and out: the one format of seeds, import and export."""
