"""`python -m tests.powercuts`: see docs/powercuts.md."""

from tests.powercuts.command import main

raise SystemExit(main())
