"""The account of one deployment, put together: prices looked up, assumptions named, missing facts written down."""
