"""What stands behind `models.py`: value tables and the neighbouring modules, a file per area."""
