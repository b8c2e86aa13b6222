"""The decoding of maps that `export --raw` gives, in files that need nothing else and may be copied.

`boxes.py`, `boxes.kt` and `boxes.js` turn the maps of `ObjectsAsPoints` and `CornerNet` into boxes,
`poses.py`, `poses.kt` and `poses.js` those of pose networks into joints. `decoded_maps` uses the first two
here.
"""
