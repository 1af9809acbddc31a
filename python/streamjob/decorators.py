"""PyFlink's marks of how stable a name is: they change nothing."""


def _mark(*said, **more):
    del said, more
    return lambda marked: marked


Deprecated = Experimental = Internal = Public = PublicEvolving = _mark
