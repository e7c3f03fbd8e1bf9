"""`python -m tests.soak`: see docs/soak.md."""

from tests.soak.command import main

raise SystemExit(main())
