"""Folder that is put on the Python path of a snakemake call, so that it finds the plugin below."""
