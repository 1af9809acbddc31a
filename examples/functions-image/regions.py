import iso3166
import pandas as pd
from pyflink.table import DataTypes
from pyflink.table.udf import udf


@udf(result_type=DataTypes.STRING())
def region(code):
    """The three letters of a country, whatever two, three or digits were sent."""
    try:
        return iso3166.countries.get(code).alpha3
    except KeyError:
        return None


@udf(result_type=DataTypes.DOUBLE(), func_type="pandas")
def smooth(latency):
    return latency.clip(upper=100.0).astype(pd.Float64Dtype()).astype(float)
