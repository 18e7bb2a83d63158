"""The tests of Kontor: what operators send and get, on SQLite and PostgreSQL, with and without a browser."""
