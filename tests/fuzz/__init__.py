"""Fuzzed input: whatever is put before Platewatch becomes a result or one sentence. Always the same cases; `PLATEWATCH_FUZZ=2000` makes so many for each."""
