"""Modules: layers as forward equations, from the catalogue or from a file of anyone's."""
