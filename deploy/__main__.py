import os
import sys

# With sudo (flash) root would leave compiled files in the owner's folder, where the owner cannot renew them.
sys.dont_write_bytecode = sys.dont_write_bytecode or "SUDO_USER" in os.environ

from deploy.cli import main  # noqa: E402  # after the line above

raise SystemExit(main())
