"""The import paths of NVIDIA NeMo Curator's image loading, served by tarlight; see the README."""
