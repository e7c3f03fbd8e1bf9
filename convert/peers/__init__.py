"""Other recognisers beside Platewatch on the same photographs (docs/peers.md)."""

PEERS = {"fast-alpr": "convert.peers.fast_alpr", "pair": "convert.peers.pair", "platewatch": "convert.peers.platewatch"}
"""Kind -> the module with its `Config` (what a peer's TOML file may say) and `load(config, threads, download) -> Peer`. Nothing heavy is imported before
`load`, which runs in the peer's own process."""
