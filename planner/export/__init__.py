"""Files that start a deployment, all rendered from the deployment document.

``prepare`` makes the context, ``render_bundle`` the files, ``write_bundle`` puts them on disk whole or not at all.
``registry.MODULES`` names the targets.
"""
