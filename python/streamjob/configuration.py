"""Configuration, as PyFlink's without the engine: what was set is what is got."""


class Configuration:
    def __init__(self, other=None, **inner):
        del inner
        self._items = dict(other._items) if isinstance(other, Configuration) else {}

    @classmethod
    def from_dict(cls, map):  # by PyFlink's name
        configuration = cls()
        configuration._items.update(map)
        return configuration

    def _set(self, key, value):
        self._items[key] = value
        return self

    def _get(self, key, default_value=None):
        return self._items.get(key, default_value)

    set_string = set_integer = set_boolean = set_float = set_bytearray = set = _set
    get_string = get_integer = get_boolean = get_float = get_bytearray = get = _get

    def key_set(self):
        return set(self._items)

    def contains_key(self, key):
        return key in self._items

    def to_dict(self):
        return {key: str(value) for key, value in self._items.items()}

    def add_all_to_dict(self, target_dict):
        target_dict.update(self._items)

    def add_all(self, other, prefix=""):
        self._items.update({(prefix or "") + key: value for key, value in other._items.items()})
        return self

    def remove_config(self, key):
        return self._items.pop(key, None) is not None

    def __eq__(self, other):
        return isinstance(other, Configuration) and self._items == other._items

    __hash__ = None

    def __str__(self):
        return str(self._items)
