"""GraphQL only: a resolver authorises, calls one domain function, and wraps what comes back."""
