"""ListView and MapView: PyFlink's accumulator collections. Here they are plain memory of the worker."""

import collections.abc


class DataView:
    __slots__ = ()

    def __class_getitem__(cls, item):
        return cls

    def clear(self):
        raise NotImplementedError


class ListView(DataView):
    __slots__ = ("_items",)

    def __init__(self):
        self._items = []

    def get(self):
        return iter(self._items)

    def add(self, value):
        self._items.append(value)

    def add_all(self, values):
        self._items.extend(values)

    def clear(self):
        self._items.clear()

    def __iter__(self):
        return iter(self._items)

    def __len__(self):
        return len(self._items)

    def __eq__(self, other):
        return isinstance(other, ListView) and self._items == other._items

    __hash__ = None

    def __repr__(self):
        return f"ListView({self._items})"

    def __getstate__(self):
        return self._items

    def __setstate__(self, state):
        self._items = state


class _RemovableIterator(collections.abc.Iterator):
    """Over a snapshot of the keys; remove() takes the last one out of the map, as PyFlink's iterators can."""

    def __init__(self, mapping, value_of):
        self._mapping, self._value_of, self._keys, self._last = mapping, value_of, iter(list(mapping)), None

    def __next__(self):
        self._last = next(self._keys)
        return self._value_of(self._last)

    def remove(self):
        del self._mapping[self._last]


class _Removable:
    def __init__(self, mapping, value_of):
        self._mapping, self._value_of = mapping, value_of

    def __iter__(self):
        return _RemovableIterator(self._mapping, self._value_of)

    def __len__(self):
        return len(self._mapping)


class MapView(DataView):
    __slots__ = ("_items",)

    def __init__(self):
        self._items = {}

    def get(self, key):
        return self._items[key]

    def put(self, key, value):
        self._items[key] = value

    def put_all(self, dict_value):
        self._items.update(dict_value)

    def remove(self, key):
        del self._items[key]

    def contains(self, key):
        return key in self._items

    def items(self):
        return _Removable(self._items, lambda key: (key, self._items[key]))

    def keys(self):
        return _Removable(self._items, lambda key: key)

    def values(self):
        return _Removable(self._items, self._items.__getitem__)

    def is_empty(self):
        return not self._items

    def clear(self):
        self._items.clear()

    __getitem__, __setitem__, __delitem__, __contains__ = get, put, remove, contains

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self._items)

    def __eq__(self, other):
        return isinstance(other, MapView) and self._items == other._items

    __hash__ = None

    def __repr__(self):
        return f"MapView({self._items})"

    def __getstate__(self):
        return self._items

    def __setstate__(self, state):
        self._items = state
