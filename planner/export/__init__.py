"""Files that start a deployment, all rendered from the deployment document.

For front ends ``preview``: ``offers`` says what suits, ``rendered`` makes all files in one call, ``changes`` compares
them with a folder; ``write.write_bundle`` puts them on disk whole or not at all. ``registry.MODULES`` names them all.
"""
