"""One module per export target: ``TARGET`` says what it is, ``render(context)`` returns its files."""
