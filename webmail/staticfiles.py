"""How static files are stored for serving: hashed names, compressed, never changed once served."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, which also follows `import … from "./x.js";` in our modules.

    With that, modules name one another by relative paths and need no import map, which the content security policy of
    the pages would refuse as an inline script.
    """

    support_js_module_import_aggregation = True
