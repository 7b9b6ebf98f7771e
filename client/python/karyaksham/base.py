"""The class that the operations in `_graphql` are methods of; `make schema` copies this file there."""

from karyaksham.transport import Transport


class Base(Transport):
    """How documents are sent."""
