"""`openrollup` on a store that does not sync: what the test of syncing has to notice."""

from functools import partial

from node.storage import database

if __name__ == "__main__":
    database._open_environment = partial(database._open_environment, sync=False)
    from openrollup.cli import main

    main()
