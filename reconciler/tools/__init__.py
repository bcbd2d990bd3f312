"""Commands for people: doctor, explain, import, convert, onboard, probe. The service never imports them."""
