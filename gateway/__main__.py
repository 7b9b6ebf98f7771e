"""`python -m gateway` is the command `karyaksham`."""

from gateway.cli import entry

if __name__ == "__main__":
    raise SystemExit(entry())
