"""A small CRUD layer on Flask-Admin and Peewee: declare a model and it has list, form, bulk change, copy, sheets,
history and undo."""
