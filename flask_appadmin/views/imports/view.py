"""The pages of an import under one address."""

from __future__ import annotations

from flask_appadmin.views.imports.deciding import DecisionPages
from flask_appadmin.views.imports.mapping_page import MappingPages
from flask_appadmin.views.imports.preview_page import PreviewPages
from flask_appadmin.views.imports.result_page import ResultPages
from flask_appadmin.views.imports.uploading import UploadPages
from flask_appadmin.views.imports.value_words import ValuePages


class ImportsView(UploadPages, MappingPages, PreviewPages, ValuePages, DecisionPages, ResultPages):
    """All pages of imports."""
