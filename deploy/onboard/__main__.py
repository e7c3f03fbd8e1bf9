from deploy.onboard.cli import main

raise SystemExit(main())
