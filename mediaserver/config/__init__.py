"""Configuration: a TOML file, over it the environment, over it the command line.

Every mistake is found at once and told with the place it was made in; an unknown key is a
mistake. Making a :class:`Settings` reads nothing from outside: only :func:`load` does.

Only ``app`` and ``cli`` see a :class:`Settings`; lower layers get single values.
"""

from mediaserver.config.layers import CONFIG_VARIABLE as CONFIG_VARIABLE
from mediaserver.config.layers import ConfigError as ConfigError
from mediaserver.config.layers import Problem as Problem
from mediaserver.config.layers import find_file as find_file
from mediaserver.config.layers import load as load
from mediaserver.config.settings import PREFIX as PREFIX
from mediaserver.config.settings import MediaRoot as MediaRoot
from mediaserver.config.settings import Settings as Settings
from mediaserver.config.settings import keys as keys
