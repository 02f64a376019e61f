"""Static files in production."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """Gives files names that change with their content, in what JavaScript modules import too.

    Browsers keep such files for good and never mix the modules of two versions.
    """

    support_js_module_import_aggregation = True
