"""`python -m gateway` is the command `karyaksham`."""

from gateway.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
