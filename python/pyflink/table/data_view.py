from streamjob.views import ListView, MapView

__all__ = ["ListView", "MapView"]
