"""How something is written as a spec in another form."""
