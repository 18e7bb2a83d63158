"""Value tables: the short lists that operators choose from, and the staff.

Shape: a row has a code or a number that people and files name it by (its natural key), and a name. None of these tables
knows a customer. Their content where it is common knowledge stands in `value_data.py`.
Units: percentages 0 to 100, money in euro, rates as units of the own currency for one unit.
Source: fields.tsv; ISO 3166-1 for countries, ISO 4217 for currencies, ISO 639-1 for languages.
"""
