"""Static files with their content's hash in the name, so that browsers may keep them for ever.

Embedded, the files are served from the apps' folders under their plain names: nothing needs to be
collected first.
"""

from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

Storage: type[StaticFilesStorage] = (
    StaticFilesStorage if settings.EMBEDDED else CompressedManifestStaticFilesStorage
)
