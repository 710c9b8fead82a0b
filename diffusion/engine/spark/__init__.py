"""Apache Spark as an engine: the extra ``[spark]``."""

from diffusion.engine.spark.session import SparkEngines

__all__ = ["SparkEngines"]
