"""The canaries: whether an instrument measures what it says, seen by running it before anything is believed of it."""
