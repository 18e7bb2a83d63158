"""The operators' journeys, in a real browser."""
