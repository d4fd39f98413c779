"""Our values as the JSON that go-ethereum and op-geth answer with."""
