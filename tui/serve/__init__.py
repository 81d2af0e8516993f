"""The app in a browser: the verb, who may enter, the server, the page. The server's library is imported late."""
