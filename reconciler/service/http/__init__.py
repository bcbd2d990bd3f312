"""What HTTP asks and gets, free of any host: a request and a response are values, a handler is a function.

The Functions host and `serve` both turn their own requests into these. Routing belongs to them: the routes stand in
`function_app.py`, once.
"""
