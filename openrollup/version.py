"""The program's name and version, as web3_clientVersion and optimism_version give them."""

from importlib.metadata import version

VERSION = version("openrollup")
CLIENT_VERSION = f"openrollup/{VERSION}"
