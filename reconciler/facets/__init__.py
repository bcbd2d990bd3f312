"""The managed aspects, one module each; `registry` lists them in the order of application."""
