"""The gateway: users, tables, GraphQL and HTTP. The only room that has them."""
