"""The second opinion: said in the other's words, asked in another process, left out aloud."""
