"""Signs an index of packages in place."""

import os
import sys

import apk_package

path, key = sys.argv[1:]
with open(path, "rb") as file:
    index = file.read()
signature = apk_package.sign(index, key, int(os.environ["SOURCE_DATE_EPOCH"]))
with open(path, "wb") as file:
    file.write(signature + index)
