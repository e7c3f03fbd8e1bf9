"""`python -m tests.handson`: the owner's time from a card in the hand to the first plate, calculated from docs/first-card.md."""

from tests.handson.command import main

raise SystemExit(main())
